"""What do the content files say? Typed, read once."""

import csv
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "demo"
KINDS = ("airport", "station", "city")
PARTS = ("summary", "why", "materials", "procedure", "who", "tailoring", "fidelity")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """One metric as in metrics.csv; `sign` is +1 when higher is better."""

    code: str
    kind: str
    touchpoint: str
    sign: int
    scoring: str
    low: float
    high: float
    threshold: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeSpec:
    """A leaf of the taxonomy: where it hurts and how that is measured."""

    code: str
    touchpoint: str
    metric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionSpec:
    """A remedy, and what it truly does: `effect` by metric, positive is better."""

    code: str
    cost: int
    challenges: tuple[str, ...]
    effect: dict[str, float]
    popularity: float
    panic: float
    season: float
    available_from: float
    half_life: float | None
    row: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything under fixtures/demo."""

    chain: dict[str, Any]
    truth: dict[str, Any]
    events: dict[str, Any]
    comments: dict[str, Any]
    notes: dict[str, list[str]]
    labels: dict[str, str]
    places: list[dict[str, str]]
    metrics: tuple[MetricSpec, ...]
    challenges: tuple[ChallengeSpec, ...]
    solutions: tuple[SolutionSpec, ...]
    aliases: list[dict[str, str]]

    @property
    def ratings(self) -> tuple[str, ...]:
        """Perception metrics of the touchpoints, in journey order."""
        return tuple(self.truth["perception"])

    @property
    def inputs(self) -> tuple[str, ...]:
        """Operational metrics."""
        return tuple(self.truth["operational"])

    @property
    def latents(self) -> tuple[str, ...]:
        """The quantities the chain's weekly state consists of: ratings, then inputs."""
        return self.ratings + self.inputs

    def metric(self, code: str) -> MetricSpec:
        return next(metric for metric in self.metrics if metric.code == code)

    def links(self) -> np.ndarray:
        """How much better each rating gets per unit by which an input gets better, shape (inputs, ratings)."""
        table = np.zeros((len(self.inputs), len(self.ratings)))
        for source, targets in self.truth["link"].items():
            for target, slope in targets.items():
                sign = self.metric(source).sign
                table[self.inputs.index(source), self.ratings.index(target)] = sign * slope
        return table

    def segment_shares(self) -> np.ndarray:
        """Share of each segment among customers, shape (kinds, segments)."""
        return np.array([[segment["share"][kind] for segment in self.chain["segment"]] for kind in KINDS])

    def segment_shifts(self) -> np.ndarray:
        """Points by which a segment rates higher, shape (segments, ratings)."""
        shift = self.chain["shift"]
        codes = [segment["code"] for segment in self.chain["segment"]]
        return np.array([[shift.get(code, {}).get(rating, 0.0) for rating in self.ratings] for code in codes])


def read_rows(name: str) -> list[dict[str, str]]:
    """The rows of one CSV file of the folder."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def read_toml(name: str) -> dict[str, Any]:
    with (FOLDER / name).open("rb") as handle:
        return tomllib.load(handle)


def recipe(entry: dict[str, Any]) -> dict[str, str]:
    """The parts of a solution's recipe in one language, as columns of an import; a part not told is empty."""
    steps = [f"{number}. {step}" for number, step in enumerate(entry.get("procedure", ()), start=1)]
    return {part: "\n".join(steps) if part == "procedure" else entry.get(part, "") for part in PARTS}


def load_content() -> Content:
    """Read all content files."""
    truth = read_toml("truth.toml")
    metrics = tuple(
        MetricSpec(
            code=row["code"],
            kind=row["kind"],
            touchpoint=row["touchpoint"],
            sign=1 if row["better"] == "higher" else -1,
            scoring=row["scoring"],
            low=float(row["scale_min"]),
            high=float(row["scale_max"]),
            threshold=float(row["threshold"]) if row["threshold"] else None,
        )
        for row in read_rows("metrics.csv")
    )
    challenges = tuple(
        ChallengeSpec(code=row["code"], touchpoint=row["touchpoint"], metric=row["metric"])
        for row in read_rows("challenges.csv")
        if row["metric"]
    )
    french = read_toml("french.toml")
    solutions = []
    for entry in read_toml("solutions.toml")["solution"]:
        known = truth["solution"][entry["code"]]
        row = {
            "code": entry["code"],
            "title": entry["title"],
            "title_fr": entry["title_fr"],
            "kind": entry["kind"],
            "challenges": "|".join(entry["challenges"]),
            **recipe(entry),
            **{f"{part}_fr": words for part, words in recipe(french.get(entry["code"], {})).items()},
            "cost": str(entry["cost"]),
            "effort_hours": str(entry["effort_hours"]),
            "lag_days": str(entry["lag_days"]),
            "url": "",
            "external_ref": "",
            "status": "published",
        }
        solutions.append(
            SolutionSpec(
                code=entry["code"],
                cost=entry["cost"],
                challenges=tuple(entry["challenges"]),
                effect=dict(known["effect"]),
                popularity=float(known["popularity"]),
                panic=float(known.get("panic", 0.0)),
                season=float(known.get("season", 0.0)),
                available_from=float(known.get("from", 0.0)),
                half_life=known.get("half_life"),
                row=row,
            )
        )
    return Content(
        chain=read_toml("chain.toml"),
        truth=truth,
        events=read_toml("events.toml"),
        comments=read_toml("comments.toml"),
        notes=read_toml("notes.toml"),
        labels=read_toml("labels.toml"),
        places=read_rows("places.csv"),
        metrics=metrics,
        challenges=challenges,
        solutions=tuple(solutions),
        aliases=read_rows("aliases.csv"),
    )
