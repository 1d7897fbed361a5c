"""Which branches, people and disturbances does the chain have?"""

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from cxplan.demo.content import KINDS, Content

OPENED_SHARE, CLOSED_SHARE = 0.04, 0.025  # of branches, within the period
OTHER_MANAGERS = 24


# Seasons are moved by up to three weeks, so that a seed tells one of eight stories, whatever the day.
YEAR_WEEKS, ANCHORS = 52, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A branch; `first` and `stop` bound the weeks in which it is open, half-open."""

    code: str
    name: str
    name_fr: str
    kind: str
    region: str
    timezone: str
    french: float
    size: float
    first: int
    stop: int
    opened_on: date
    closed_on: date | None
    desks: int
    fleet: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """Something known that changes volume or scores; `branch` is None for the whole chain."""

    branch: int | None
    name: str
    kind: str
    week: int
    length: int
    volume: float
    effect: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The chain's shape over `weeks` weeks that start on the Monday `start`."""

    start: date
    weeks: int
    branches: tuple[Branch, ...]
    people: tuple[dict[str, str], ...]
    owners: tuple[str, ...]
    disturbances: tuple[Disturbance, ...]
    story: int

    def monday(self, week: int) -> date:
        return self.start + timedelta(weeks=week)

    @property
    def week_of_year(self) -> np.ndarray:
        """Where each week stands in the year for all that is seasonal, 0 to 51."""
        return season_weeks(self.start, self.weeks)

    @property
    def kinds(self) -> np.ndarray:
        return np.array([KINDS.index(branch.kind) for branch in self.branches])

    @property
    def open(self) -> np.ndarray:
        """Whether customers are served, shape (branches, weeks)."""
        week = np.arange(self.weeks)
        serving = np.array([(branch.first <= week) & (week < branch.stop) for branch in self.branches])
        for event in self.disturbances:
            if event.kind == "closure" and event.branch is not None:
                serving[event.branch, event.week : event.week + event.length] = False
        return serving


def season_weeks(start: date, weeks: int) -> np.ndarray:
    """Weeks of the year, moved so that the last one falls on the nearest of eight anchors."""
    last = (start + timedelta(weeks=weeks - 1)).isocalendar().week
    anchor = round(last * ANCHORS / YEAR_WEEKS) % ANCHORS * YEAR_WEEKS // ANCHORS
    moved: np.ndarray = (anchor - np.arange(weeks)[::-1]) % YEAR_WEEKS
    return moved


def build_network(content: Content, *, rng: np.random.Generator, end: date, branches: int, weeks: int) -> Network:
    """Draw the chain whose last full week ends on or before `end`."""
    sunday = end - timedelta(days=end.isoweekday() % 7)
    start = sunday - timedelta(weeks=weeks) + timedelta(days=1)
    units = _branches(content, rng=rng, start=start, branches=branches, weeks=weeks)
    story = next(index for index, unit in enumerate(units) if unit.code == content.chain["story_branch"])
    people, owners = _people(content, units)
    return Network(
        start=start,
        weeks=weeks,
        branches=units,
        people=people,
        owners=owners,
        disturbances=_disturbances(content, rng=rng, units=units, start=start, weeks=weeks, story=story),
        story=story,
    )


def _places(content: Content, count: int) -> list[dict[str, str]]:
    """`count` places with regions in proportion and kinds mixed; beyond the list, second branches."""
    seen: dict[tuple[str, str], int] = {}
    keyed = []
    totals = {region["code"]: 0 for region in content.chain["region"]}
    for place in content.places:
        rank = seen.get((place["region"], place["kind"]), 0)
        seen[place["region"], place["kind"]] = rank + 1
        totals[place["region"]] += 1
        keyed.append(((rank, KINDS.index(place["kind"])), place))
    queue = []
    for region, total in totals.items():
        own = sorted((key, index) for index, (key, place) in enumerate(keyed) if place["region"] == region)
        queue += [((position + 0.5) / total, region, index) for position, (_, index) in enumerate(own)]
    story = content.chain["story_branch"]
    order = [content.places[index] for _, _, index in sorted(queue)]
    order.sort(key=lambda place: place["code"] != story)
    chosen = []
    for position in range(count):
        lap, index = divmod(position, len(order))
        chosen.append({**order[index], "lap": str(lap)})
    return chosen


def _branches(
    content: Content, *, rng: np.random.Generator, start: date, branches: int, weeks: int
) -> tuple[Branch, ...]:
    places = _places(content, branches)
    late = max(1, round(OPENED_SHARE * branches))
    gone = max(1, round(CLOSED_SHARE * branches))
    movers = rng.permutation(np.arange(1, branches))[: late + gone]
    opening = {
        int(index): int(week) for index, week in zip(movers[:late], rng.integers(6, weeks // 2, late), strict=True)
    }
    closing = {
        int(index): int(week)
        for index, week in zip(movers[late:], rng.integers(weeks * 2 // 3, weeks - 3, gone), strict=True)
    }
    units = []
    for index, place in enumerate(places):
        lap = int(place["lap"])
        suffix = f" {lap + 1}" if lap else ""
        size = float(place["size"]) * float(np.exp(rng.normal(0, 0.12)))
        first = opening.get(index, 0)
        stop = closing.get(index, weeks)
        age = int(rng.integers(500, 7000))
        opened_on = start + timedelta(weeks=first) if first else start - timedelta(days=age)
        units.append(
            Branch(
                code=place["code"] + (f"-{lap + 1}" if lap else ""),
                name=place["name"] + suffix,
                name_fr=place["name_fr"] + suffix,
                kind=place["kind"],
                region=place["region"],
                timezone=place["timezone"],
                french=float(place["french"]),
                size=size,
                first=first,
                stop=stop,
                opened_on=opened_on,
                closed_on=start + timedelta(weeks=stop) if stop < weeks else None,
                desks=max(1, round(2.6 * size)),
                fleet=10 * round(9 * size),
            )
        )
    return tuple(units)


def _people(content: Content, units: tuple[Branch, ...]) -> tuple[tuple[dict[str, str], ...], tuple[str, ...]]:
    people = [dict(person) for person in content.chain["person"]]
    area = {person["unit"]: person["email"] for person in people if person["role"] == "manager"}
    owners = [area.get(unit.code, area[unit.region]) for unit in units]
    names = {"fr": list(content.chain["managers"]["fr"]), "en": list(content.chain["managers"]["en"])}
    step = max(1, len(units) // OTHER_MANAGERS)
    for index in range(1, len(units), step)[:OTHER_MANAGERS]:
        language = "fr" if units[index].french >= 0.6 else "en"
        pool = names[language] or names["en" if language == "fr" else "fr"]
        if not pool:
            break
        name = pool.pop(0)
        email = address_of(name)
        people.append(
            {"email": email, "name": name, "unit": units[index].code, "role": "manager", "language": language}
        )
        owners[index] = email
    people += [
        {
            "email": address_of(colleague["name"]),
            "name": colleague["name"],
            "unit": units[colleague["place"]].code,
            "role": "staff",
            "language": colleague["language"],
        }
        for colleague in content.chain["colleague"]
    ]
    return tuple(people), tuple(owners)


def address_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return f"{plain.lower().replace(' ', '.')}@rivage.example"


def _disturbances(
    content: Content,
    *,
    rng: np.random.Generator,
    units: tuple[Branch, ...],
    start: date,
    weeks: int,
    story: int,
) -> tuple[Disturbance, ...]:
    year = season_weeks(start, weeks)
    events = [
        Disturbance(
            branch=None,
            name=entry["name"],
            kind="campaign",
            week=week,
            length=entry["length"],
            volume=entry["volume"],
            effect={},
        )
        for entry in content.events["chain"]
        for week in np.flatnonzero(year[: weeks - entry["length"] + 1] == entry["week"]).tolist()
    ]
    free = [index for index, unit in enumerate(units) if index != story and unit.stop - unit.first == weeks]
    chosen = [int(index) for index in rng.permutation(free)]
    for entry in content.events["branch"]:
        closure = bool(entry.get("closure"))
        for _ in range(max(1, round(entry["count"] * len(units) / 120))):
            if not chosen:
                break
            events.append(
                Disturbance(
                    branch=chosen.pop(),
                    name=entry["name"],
                    kind="closure" if closure else "works" if "Works" in entry["name"] else "other",
                    week=int(rng.integers(4, weeks - entry["length"] - 2)),
                    length=entry["length"],
                    volume=entry.get("volume", 1.0),
                    effect=dict(entry.get("effect", {})),
                )
            )
    return tuple(events)
