"""Journeys as they are and as they were: a change makes a new version, and what is older keeps its stages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.core.languages import localised
from apps.taxonomy.journal import Journal, lock_taxonomy
from apps.taxonomy.models import Challenge, Journey, JourneyVersion, Metric, Touchpoint, TouchpointPlace


class StageImpossible(CxplanError):
    code = "stage_impossible"


class VersionMisplaced(CxplanError):
    code = "version_misplaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEntry:
    """A stage as a journey shall have it; what stood on a retired one goes to `moves_to`, or stays."""

    code: str
    name: str
    name_fr: str = ""
    position: int
    is_retired: bool = False
    moves_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A touchpoint in a version of its journey, with the codes of what stood on it."""

    code: str
    name: str
    position: int
    metrics: tuple[str, ...]
    challenges: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyOn:
    """A journey as it was on a day; `number` is None while it never changed."""

    code: str
    name: str
    number: int | None
    starts_on: date | None
    stages: tuple[Stage, ...]


def journey_on(journey: Journey, on: date) -> JourneyOn:
    """The stages of `journey` as they were on a day, in a constant number of queries."""
    versions = list(JourneyVersion.objects.filter(journey=journey).order_by("-number"))
    then = next((one for one in versions if one.starts_on is None or one.starts_on <= on), None)
    is_newest = then is None or then == versions[0]
    return JourneyOn(
        code=journey.code,
        name=journey.display_name,
        number=then.number if then else None,
        starts_on=then.starts_on if then else None,
        stages=_live_stages(journey) if is_newest or then is None else _kept_stages(then),
    )


@transaction.atomic
def change_journey(
    *, journey: Journey, entries: Sequence[StageEntry], starts_on: date, as_of: date, actor: User | None
) -> bool:
    """Give a journey these stages from a day on; whether that changed anything.

    What was measured before keeps its stages. On the day of the newest version that version is corrected.
    Raises StageImpossible, VersionMisplaced.
    """
    lock_taxonomy()
    live = {one.code.lower(): one for one in journey.touchpoints.filter(retired_on=None)}
    _check(entries, live)
    if not _is_change(entries, live):
        return False
    newest = JourneyVersion.objects.filter(journey=journey).order_by("-number").first()
    if starts_on > as_of:
        raise VersionMisplaced(_("A change holds from today or an earlier day."), field="starts_on")
    if newest is not None and newest.starts_on is not None and starts_on < newest.starts_on:
        raise VersionMisplaced(
            _("The journey already changed after that day. Choose a later one."), field="starts_on"
        )
    journal = Journal()
    if newest is None or newest.starts_on != starts_on:
        _open_version(journey, newest, starts_on, live.values(), journal)
    _apply(journey, entries, live, starts_on, journal)
    told = {"name": journey.name, "code": journey.code, "starts_on": starts_on.isoformat(), "rows": journal.rows}
    record(event="taxonomy.journey.changed", actor=actor, subject=journey, data=told)
    return True


def _check(entries: Sequence[StageEntry], live: dict[str, Touchpoint]) -> None:
    staying = {one.code.lower() for one in entries if not one.is_retired}
    if not staying:
        raise StageImpossible(_("A journey keeps at least one stage."))
    for entry in entries:
        if not entry.name.strip():
            raise StageImpossible(_("Every stage has a name."))
        if entry.moves_to and (
            entry.moves_to.lower() not in staying or entry.moves_to.lower() == entry.code.lower()
        ):
            raise StageImpossible(
                _("What stood on “%(name)s” can go to a stage that stays.") % {"name": entry.name}
            )
    if len({one.code.lower() for one in entries}) < len(entries):
        raise StageImpossible(_("Two stages have the same code."))
    new = [one.code for one in entries if one.code.lower() not in live]
    for code in new:
        if Touchpoint.objects.filter(code__iexact=code).exists():
            raise StageImpossible(_("The code “%(code)s” is taken. Choose another one.") % {"code": code})


def _is_change(entries: Sequence[StageEntry], live: dict[str, Touchpoint]) -> bool:
    if {one.code.lower() for one in entries} - set(live) or any(one.is_retired for one in entries):
        return True
    before = [
        (one.code.lower(), one.name, one.name_fr)
        for one in sorted(live.values(), key=lambda t: (t.position, t.pk))
    ]
    after = [
        (one.code.lower(), one.name.strip(), one.name_fr.strip())
        for one in sorted(entries, key=lambda entry: entry.position)
    ]
    return before != after


def _open_version(
    journey: Journey,
    newest: JourneyVersion | None,
    starts_on: date,
    live: Iterable[Touchpoint],
    journal: Journal,
) -> None:
    """Keep what the touchpoints say now as the version that ends, and begin the next one."""
    if newest is None:
        newest = JourneyVersion(journey=journey, number=1)
        journal.create(newest)
    for touchpoint in live:
        place = TouchpointPlace(
            version=newest,
            touchpoint=touchpoint,
            position=touchpoint.position,
            name=touchpoint.name,
            name_fr=touchpoint.name_fr,
        )
        journal.create(
            place,
            metrics=Metric.objects.filter(touchpoint=touchpoint),
            challenges=Challenge.objects.filter(touchpoint=touchpoint),
        )
    journal.create(JourneyVersion(journey=journey, number=newest.number + 1, starts_on=starts_on))


def _apply(
    journey: Journey,
    entries: Sequence[StageEntry],
    live: dict[str, Touchpoint],
    starts_on: date,
    journal: Journal,
) -> None:
    stages = dict(live)
    ordered = sorted(entries, key=lambda entry: (entry.is_retired, entry.position))
    for position, entry in enumerate(ordered, 1):
        names = {"name": entry.name.strip(), "name_fr": entry.name_fr.strip()}
        touchpoint = stages.get(entry.code.lower())
        if touchpoint is None:
            made = Touchpoint(journey=journey, code=entry.code, position=position, **names)
            journal.create(made)
            stages[entry.code.lower()] = made
        elif entry.is_retired:
            journal.set(touchpoint, retired_on=starts_on)
        else:
            journal.set(touchpoint, position=position, **names)
    for entry in ordered:
        if entry.is_retired and entry.moves_to:
            target = stages[entry.moves_to.lower()]
            left = stages[entry.code.lower()]
            for metric in Metric.objects.filter(touchpoint=left).order_by("pk"):
                journal.set(metric, touchpoint=target)
            for challenge in Challenge.objects.filter(touchpoint=left).order_by("pk"):
                journal.set(challenge, touchpoint=target)


def _live_stages(journey: Journey) -> tuple[Stage, ...]:
    touchpoints = journey.touchpoints.filter(retired_on=None).prefetch_related("metrics", "challenges")
    return tuple(
        Stage(
            code=one.code,
            name=one.display_name,
            position=one.position,
            metrics=_codes(one.metrics.all()),
            challenges=_codes(one.challenges.all()),
        )
        for one in touchpoints.order_by("position", "pk")
    )


def _kept_stages(version: JourneyVersion) -> tuple[Stage, ...]:
    places = TouchpointPlace.objects.filter(version=version).select_related("touchpoint")
    return tuple(
        Stage(
            code=one.touchpoint.code,
            name=localised(one.name, one.name_fr),
            position=one.position,
            metrics=_codes(one.metrics.all()),
            challenges=_codes(one.challenges.all()),
        )
        for one in places.prefetch_related("metrics", "challenges").order_by("position", "pk")
    )


def _codes(rows: Iterable[Metric] | Iterable[Challenge]) -> tuple[str, ...]:
    return tuple(sorted(row.code for row in rows))
