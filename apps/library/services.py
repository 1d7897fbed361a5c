"""Changes to solutions: their texts, facts, states and the challenges they answer."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict

from django.db import models, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.library.models import (
    Solution,
    SolutionLink,
    SolutionVersion,
    Status,
    VersionTranslation,
    WebLink,
)
from apps.library.reviews import due_on
from apps.library.texts import LABELS, LANGUAGES, LENGTH_MAX, LENGTHS, MAIN_LANGUAGE, RecipeText
from apps.taxonomy.models import Challenge

CODE_LENGTH = 40


class CodeTaken(CxplanError):
    code = "code_taken"


class TextNotUsable(CxplanError):
    code = "text_not_usable"


class StatusNotPossible(CxplanError):
    code = "step_not_possible"


class ReferenceTaken(CxplanError):
    code = "reference_taken"


class SolutionChanged(CxplanError):
    """Somebody else saved the solution after the caller had read it, at `changed_at`."""

    code = "edit_conflict"

    def __init__(self, *, changed_at: datetime) -> None:
        self.changed_at = changed_at
        super().__init__(
            _(
                "Somebody changed this solution after you opened it. "
                "Your text is still here: compare it with theirs, then save again."
            )
        )


class Facts(TypedDict, total=False):
    """What is known of a solution besides its words; a key that is absent stays as it is."""

    kind: str
    cost: int | None
    effort_hours: Decimal | None
    lag_days: int
    url: str
    source: str
    external_ref: str
    owner: User | None
    review_every_months: int | None


FACTS = tuple(Facts.__annotations__)


@transaction.atomic
def create_solution(
    *,
    text: RecipeText,
    translations: Mapping[str, RecipeText] | None = None,
    facts: Facts,
    code: str = "",
    status: str = Status.DRAFT,
    origin: str = Solution.Origin.COMPANY,
    author: User | None = None,
    challenges: Iterable[Challenge] = (),
    note: str = "",
    as_of: date | None = None,
    actor: User | None,
) -> Solution:
    """A new solution with its first version; `author` is who is credited, the actor when nobody else is.

    Without a `code` one is made from the title. Raises CodeTaken, TextNotUsable, ReferenceTaken.
    """
    text, translations = _checked(text), _checked_translations(translations or {})
    if code and Solution.objects.filter(code__iexact=code).exists():
        raise CodeTaken(_("There is a solution %(code)s already.") % {"code": code}, field="code")
    _refuse_reference(facts)
    solution = Solution(
        code=code or free_code(text.title), status=status, origin=origin, author=author or actor, **facts
    )
    _name(solution, text, translations)
    solution.review_due_on = due_on(
        since=solution.reviewed_on or as_of, every_months=facts.get("review_every_months")
    )
    solution.save()
    _insert_version(solution, text, translations, author=author or actor, note=note)
    record(
        event="library.solution.created",
        actor=actor,
        subject=solution,
        data={"code": solution.code, "title": solution.title, "status": status, "origin": origin},
    )
    for challenge in challenges:
        link_solution(solution=solution, challenge=challenge, actor=actor)
    return solution


@transaction.atomic
def revise_solution(
    *,
    solution: Solution,
    text: RecipeText | None = None,
    translations: Mapping[str, RecipeText] | None = None,
    facts: Facts | None = None,
    note: str = "",
    author: User | None = None,
    actor: User | None,
    seen_at: datetime | None = None,
) -> Solution:
    """Change words or facts; other words or another delay make a new version, older ones stay as they are.

    `text` and each of `translations` replace what is there; an empty translation takes that language away.
    Raises SolutionChanged, TextNotUsable, ReferenceTaken.
    """
    solution = locked(solution, seen_at=seen_at)
    newest = newest_version(solution)
    old_text = newest.text if newest else RecipeText(title=solution.title)
    old_translations = {one.language: one.text for one in newest.translations.all()} if newest else {}
    new_text = old_text if text is None else _checked(text)
    changed = {**old_translations, **_checked_translations(translations or {})}
    new_translations = {language: words for language, words in changed.items() if not words.is_empty}
    _refuse_reference(facts or {}, but=solution)
    before, after = _set_facts(solution, facts or {})
    is_reworded = newest is None or (new_text, new_translations) != (old_text, old_translations)
    if is_reworded or "lag_days" in after:
        version = _insert_version(solution, new_text, new_translations, author=author or actor, note=note)
        after["version"] = version.number
    if not after:
        return solution
    _name(solution, new_text, new_translations)
    solution.save()
    record(
        event="library.solution.revised",
        actor=actor,
        subject=solution,
        data={"code": solution.code, "before": before, "after": after, "note": note.strip()},
    )
    return solution


@transaction.atomic
def restore_version(
    *, solution: Solution, number: int, actor: User | None, seen_at: datetime | None = None
) -> Solution:
    """The words of an old version once more, as the newest one."""
    old = solution.versions.prefetch_related("translations").get(number=number)
    newest = newest_version(solution)
    gone = {one.language: RecipeText() for one in newest.translations.all()} if newest else {}
    return revise_solution(
        solution=solution,
        text=old.text,
        translations=gone | {one.language: one.text for one in old.translations.all()},
        note=_("Version %(number)s restored") % {"number": number},
        actor=actor,
        seen_at=seen_at,
    )


@transaction.atomic
def publish_solution(*, solution: Solution, actor: User | None) -> Solution:
    """Everybody sees it and may plan it; a retired one comes back. Raises StatusNotPossible."""
    return _set_status(solution, Status.PUBLISHED, "published", actor, {})


@transaction.atomic
def retire_solution(*, solution: Solution, reason: str = "", actor: User | None) -> Solution:
    """Nobody plans it any more; what its uses taught stays. Raises StatusNotPossible."""
    return _set_status(solution, Status.RETIRED, "retired", actor, {"reason": reason.strip()})


@transaction.atomic
def link_solution(
    *, solution: Solution, challenge: Challenge, rationale: str = "", actor: User | None
) -> SolutionLink:
    """Say that a solution answers a challenge and why; a link that exists gets the new rationale.

    A link that came from use alone becomes one that somebody vouches for.
    """
    link, is_new = SolutionLink.objects.select_for_update().get_or_create(
        solution=solution, challenge=challenge, defaults={"rationale": rationale.strip()}
    )
    if is_new or link.rationale != rationale.strip() or link.is_seen_in_use:
        link.rationale, link.is_seen_in_use = rationale.strip(), False
        link.save(update_fields=["rationale", "is_seen_in_use"])
        record(
            event="library.solution.linked",
            actor=actor,
            subject=solution,
            data={"challenge": challenge.code, "rationale": rationale.strip()},
        )
    return link


@transaction.atomic
def unlink_solution(*, solution: Solution, challenge: Challenge, actor: User | None) -> None:
    """The solution is no longer offered for this challenge; uses of it stay what they were."""
    merged = models.Q(challenge=challenge) | models.Q(challenge__merged_into=challenge)
    gone, _kinds = SolutionLink.objects.filter(merged, solution=solution).delete()
    if gone:
        record(
            event="library.solution.unlinked",
            actor=actor,
            subject=solution,
            data={"challenge": challenge.code},
        )


@transaction.atomic
def set_web_links(*, solution: Solution, links: Sequence[tuple[str, str]], actor: User | None) -> None:
    """The further reading of a solution, as (address, label), in this order."""
    wanted = list(dict(links).items())
    old = list(solution.web_links.order_by("position").values_list("url", "label"))
    if wanted == old:
        return
    solution.web_links.all().delete()
    WebLink.objects.bulk_create(
        [
            WebLink(solution=solution, url=url, label=label.strip(), position=position)
            for position, (url, label) in enumerate(wanted)
        ]
    )
    record(
        event="library.solution.web_links_set",
        actor=actor,
        subject=solution,
        data={"before": [url for url, _label in old], "after": [url for url, _label in wanted]},
    )


def locked(solution: Solution, *, seen_at: datetime | None = None) -> Solution:
    """The solution as it stands, held until the end of the transaction."""
    current = Solution.objects.select_for_update().get(pk=solution.pk)
    if seen_at is not None and current.updated_at != seen_at:
        raise SolutionChanged(changed_at=current.updated_at)
    return current


def newest_version(solution: Solution) -> SolutionVersion | None:
    return solution.versions.prefetch_related("translations").order_by("-number").first()


def free_code(title: str) -> str:
    """A code made from a title, with a number behind it when it is taken."""
    stem = slugify(title)[:CODE_LENGTH].strip("-_") or "solution"
    taken = {
        code.lower() for code in Solution.objects.filter(code__istartswith=stem).values_list("code", flat=True)
    }
    number, code = 1, stem
    while code in taken:
        number += 1
        code = f"{stem}-{number}"
    return code


def _set_status(
    solution: Solution, status: Status, event: str, actor: User | None, data: dict[str, Any]
) -> Solution:
    solution = locked(solution)
    if solution.status == status:
        raise StatusNotPossible(_("This solution is %(status)s already.") % {"status": str(status.label).lower()})
    before, solution.status = solution.status, status
    # One that comes back stands for itself again.
    solution.replaced_by = None
    solution.save(update_fields=["status", "replaced_by", "updated_at"])
    record(
        event=f"library.solution.{event}",
        actor=actor,
        subject=solution,
        data={"code": solution.code, "before": before, **data},
    )
    return solution


def _insert_version(
    solution: Solution,
    text: RecipeText,
    translations: Mapping[str, RecipeText],
    *,
    author: User | None,
    note: str,
) -> SolutionVersion:
    newest = solution.versions.order_by("-number").first()
    version = SolutionVersion.objects.create(
        solution=solution,
        number=newest.number + 1 if newest else 1,
        lag_days=solution.lag_days,
        author=author,
        note=note.strip(),
        **text.as_dict(),
    )
    VersionTranslation.objects.bulk_create(
        [
            VersionTranslation(version=version, language=language, **words.as_dict())
            for language, words in sorted(translations.items())
        ]
    )
    return version


def _name(solution: Solution, text: RecipeText, translations: Mapping[str, RecipeText]) -> None:
    french = translations.get("fr", RecipeText())
    solution.title, solution.summary = text.title, text.summary
    # A title of its own may have come with a file that has no other French text.
    solution.title_fr, solution.summary_fr = french.title or solution.title_fr, french.summary


def _set_facts(solution: Solution, facts: Facts) -> tuple[dict[str, Any], dict[str, Any]]:
    given: Mapping[str, Any] = facts
    differing = [name for name in FACTS if name in given and getattr(solution, name) != given[name]]
    before = {name: _plain(getattr(solution, name)) for name in differing}
    for name in differing:
        setattr(solution, name, given[name])
    if "review_every_months" in differing:
        solution.review_due_on = due_on(
            since=solution.reviewed_on or solution.created_at.date(), every_months=solution.review_every_months
        )
    return before, {name: _plain(given[name]) for name in differing}


def _plain(value: Any) -> Any:
    if isinstance(value, User):
        return value.email
    return str(value) if isinstance(value, Decimal) else value


def _checked(text: RecipeText) -> RecipeText:
    cleaned = RecipeText(**{name: value.replace("\r\n", "\n").strip() for name, value in text.as_dict().items()})
    if not cleaned.title:
        raise TextNotUsable(_("A solution needs a title."), field="title")
    _check_lengths(cleaned)
    return cleaned


def _checked_translations(translations: Mapping[str, RecipeText]) -> dict[str, RecipeText]:
    checked = {}
    for language, text in translations.items():
        if language not in LANGUAGES or language == MAIN_LANGUAGE:
            raise TextNotUsable(_("Texts can't be kept in this language."), field="language")
        checked[language] = RecipeText(
            **{name: value.replace("\r\n", "\n").strip() for name, value in text.as_dict().items()}
        )
        _check_lengths(checked[language])
    return checked


def _check_lengths(text: RecipeText) -> None:
    for name, value in text.as_dict().items():
        most = LENGTHS.get(name, LENGTH_MAX)
        if len(value) > most:
            raise TextNotUsable(
                _("“%(part)s” is too long: at most %(most)d characters.") % {"part": LABELS[name], "most": most},
                field=name,
            )


def _refuse_reference(facts: Mapping[str, Any] | Facts, *, but: Solution | None = None) -> None:
    source = facts.get("source") or (but.source if but else "")
    reference = facts.get("external_ref") or (but.external_ref if but else "")
    if not source or not reference:
        return
    others = Solution.objects.filter(source__iexact=source, external_ref=reference)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if others.exists():
        raise ReferenceTaken(
            _("Another solution has the reference %(reference)s of %(source)s already.")
            % {"reference": reference, "source": source},
            field="external_ref",
        )
