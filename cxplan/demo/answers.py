"""What do customers answer in a week? Integer answers to a few questions each, and their words."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from cxplan.demo.content import Content
from cxplan.demo.network import Network
from cxplan.demo.world import (
    MEAN_OVERALL,
    MEAN_RECOMMEND,
    OVERALL_OWN,
    PERSON,
    RECOMMEND_OWN,
    RECOMMEND_SLOPE,
    World,
)

RESPONSES_PER_WEEK = 21.5  # of a branch of size one in an average week
# The rotating short questionnaires and how often each is sent; all ask the overall question too.
FORMS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.12, ("counter-rating", "fees-rating", "recommend")),
    (0.11, ("counter-rating", "car-rating", "recommend")),
    (0.08, ("arrival-rating", "counter-rating")),
    (0.09, ("counter-rating", "return-rating", "recommend")),
    (0.09, ("counter-rating", "fees-rating", "invoice-as-agreed")),
    (0.10, ("search-rating", "booking-rating", "recommend")),
    (0.10, ("booking-rating", "arrival-rating", "car-rating")),
    (0.12, ("car-rating", "return-rating", "invoice-as-agreed")),
    (0.11, ("fees-rating", "return-rating", "invoice-as-agreed")),
    (0.08, ("search-rating", "arrival-rating")),
)
CHANNELS, CHANNEL_SHARES = ("email", "sms", "app", "phone"), (0.52, 0.26, 0.15, 0.07)
SURVEY, HELPDESK = "rivage-survey", "zendesk-fr"
COMMENT_SHARE, COMMENT_EXTREME = 0.15, 0.20  # more write when they are very happy or unhappy
CODED_SHARE = 0.35  # of bad comments that somebody filed under a challenge
UNMAPPED_EVERY = 3  # of those that the help desk files under one challenge
BAD_UP_TO, GOOD_FROM = 6, 8
CUSTOMERS_PER_BRANCH = 1400
RESPONSE_COLUMNS = (
    "source",
    "external_id",
    "unit",
    "occurred_at",
    "customer",
    "segment",
    "channel",
    "language",
    "comment",
    "challenge",
)
Rows = list[tuple[str, ...]]
WEEKDAYS = (0.17, 0.12, 0.11, 0.12, 0.18, 0.19, 0.11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Comment fragments by touchpoint rating, mood and language; `challenge` is None for praise."""

    bad: tuple[tuple[tuple[str, str, str], ...], ...]  # per rating: (challenge, en, fr)
    good: tuple[tuple[tuple[str, str], ...], ...]  # per rating: (en, fr)
    endings: dict[str, list[str]]
    alias: dict[str, str]  # what the help desk calls a challenge
    unknown: dict[str, str]  # what it calls a challenge when nobody has mapped that yet


def load_words(content: Content) -> Words:
    """Arrange the fragments by the rating they speak of."""
    point = {content.metric(code).touchpoint: row for row, code in enumerate(content.ratings)}
    bad: list[list[tuple[str, str, str]]] = [[] for _ in content.ratings]
    for challenge in content.challenges:
        said = content.comments["bad"][challenge.code]
        bad[point[challenge.touchpoint]] += [
            (challenge.code, en, fr) for en, fr in zip(said["en"], said["fr"], strict=True)
        ]
    good = [
        tuple(zip(content.comments["good"][code]["en"], content.comments["good"][code]["fr"], strict=True))
        for code in content.ratings
    ]
    alias: dict[str, str] = {}
    for row in content.aliases:
        if row["source"] == HELPDESK:
            alias.setdefault(row["challenge"], row["label"])
    return Words(
        bad=tuple(tuple(entries) for entries in bad),
        good=tuple(good),
        endings=content.comments["ending"],
        alias=alias,
        unknown=content.labels,
    )


class Survey:
    """Draws the answers of one week after another."""

    def __init__(self, content: Content, network: Network, world: World, rng: np.random.Generator) -> None:
        self.network, self.world, self.rng = network, world, rng
        self.words = load_words(content)
        self.columns = ("overall", "recommend", *content.ratings)
        self.header = (*RESPONSE_COLUMNS, *self.columns)
        self.shares = content.segment_shares()[network.kinds]
        self.shifts = content.segment_shifts()
        self.segments = np.array([entry["code"] for entry in content.chain["segment"]], dtype=object)
        self.codes = np.array([branch.code for branch in network.branches], dtype=object)
        self.french = np.array([branch.french for branch in network.branches])
        self.form_share = np.array([share for share, _ in FORMS])
        self.asked = np.array([[code in form or code == "overall" for code in self.columns] for _, form in FORMS])
        specs = [content.metric(code) for code in self.columns]
        self.low = np.array([spec.low for spec in specs])
        self.high = np.array([spec.high for spec in specs])
        self.text = np.array(["", *map(str, range(11))], dtype=object)
        self.clock = np.array([f"T{m // 60:02d}:{m % 60:02d}:00" for m in range(24 * 60)], dtype=object)
        self.count = 0
        self.filed: Counter[str] = Counter()

    def week(self, week: int, goodness: np.ndarray, overall: np.ndarray) -> tuple[Rows, np.ndarray]:
        """Rows of the file, and each branch's mean answer per rating as goodness (nan where nobody answered).

        Parameters
        ----------
        goodness : (branches, ratings) after links and actions
        overall : (branches,) goodness of the overall rating, own state included
        """
        rng, scale = self.rng, self.world.scale
        unit = np.repeat(np.arange(len(self.codes)), rng.poisson(RESPONSES_PER_WEEK * self.world.volume[:, week]))
        size = len(unit)
        segment = (rng.random(size)[:, None] > np.cumsum(self.shares, axis=1)[unit][:, :-1]).sum(axis=1)
        mood = rng.normal(size=size)
        single = rng.normal(size=(size, len(scale.means))) * scale.item
        shift = self.shifts[segment]
        ratings = scale.means + goodness[unit] + shift + mood[:, None] * scale.person + single
        lead = overall[unit] + (shift + single) @ scale.weights + PERSON * mood
        lead += OVERALL_OWN * rng.normal(size=size)
        recommend = RECOMMEND_SLOPE * lead + RECOMMEND_OWN * rng.normal(size=size)
        latent = np.column_stack([MEAN_OVERALL + lead, MEAN_RECOMMEND + recommend, ratings])
        answers = np.clip(np.rint(latent), self.low, self.high).astype(np.int64)
        asked = self.asked[rng.choice(len(FORMS), size=size, p=self.form_share)]
        answers = np.where(asked, answers, -1)
        return self._rows(week, unit, segment, answers), self._means(unit, answers[:, 2:])

    def _means(self, unit: np.ndarray, answers: np.ndarray) -> np.ndarray:
        out = np.full((len(self.codes), answers.shape[1]), np.nan)
        for column in range(answers.shape[1]):
            given = answers[:, column] >= 0
            count = np.bincount(unit[given], minlength=len(out))
            total = np.bincount(unit[given], weights=answers[given, column], minlength=len(out))
            some = count > 0
            out[some, column] = total[some] / count[some] - self.world.scale.means[column]
        return out

    def _rows(
        self, week: int, unit: np.ndarray, segment: np.ndarray, answers: np.ndarray
    ) -> list[tuple[str, ...]]:
        rng, size = self.rng, len(unit)
        monday = self.network.monday(week)
        days = np.array([(monday + timedelta(days=day)).isoformat() for day in range(7)], dtype=object)
        minute = np.clip(rng.normal(14.5 * 60, 210, size), 7 * 60, 22 * 60 - 1).astype(int)
        when = days[rng.choice(7, size=size, p=WEEKDAYS)] + self.clock[minute]
        channel = np.array(CHANNELS, dtype=object)[rng.choice(len(CHANNELS), size=size, p=CHANNEL_SHARES)]
        french = rng.random(size) < self.french[unit]
        helpdesk = french & (channel == "phone")
        customer = rng.integers(0, CUSTOMERS_PER_BRANCH * len(self.codes), size)
        comments, challenges = self._comments(answers, french, helpdesk)
        columns = [
            np.where(helpdesk, HELPDESK, SURVEY).tolist(),
            [f"R{number:07d}" for number in range(self.count + 1, self.count + size + 1)],
            self.codes[unit].tolist(),
            when.tolist(),
            [f"C{number:06d}" for number in customer.tolist()],
            self.segments[segment].tolist(),
            channel.tolist(),
            np.where(french, "fr", "en").tolist(),
            comments,
            challenges,
            *(self.text[answers[:, column] + 1].tolist() for column in range(answers.shape[1])),
        ]
        self.count += size
        return list(zip(*columns, strict=True))

    def _comments(
        self, answers: np.ndarray, french: np.ndarray, helpdesk: np.ndarray
    ) -> tuple[list[str], list[str]]:
        """A comment speaks of the answered touchpoint that went worst, or best when the customer is happy."""
        rng, size = self.rng, len(answers)
        overall = answers[:, 0]
        happy = overall >= GOOD_FROM
        extreme = (overall <= 3) | (overall == 10)
        writes = rng.random(size) < COMMENT_SHARE + COMMENT_EXTREME * extreme
        spread = np.hypot(self.world.scale.person, self.world.scale.item)
        apart = (answers[:, 2:] - self.world.scale.means) / spread
        apart = np.where(answers[:, 2:] >= 0, apart, np.nan)
        writes &= np.isfinite(apart).any(axis=1) & (happy | (overall <= BAD_UP_TO))
        comments, challenges = [""] * size, [""] * size
        index = np.flatnonzero(writes)
        focus = np.where(
            happy[index],
            np.argmax(np.where(np.isfinite(apart[index]), apart[index], -9), axis=1),
            np.argmin(np.where(np.isfinite(apart[index]), apart[index], 9), axis=1),
        )
        draws = rng.random((len(index), 3))
        for row, rating, draw in zip(index.tolist(), focus.tolist(), draws.tolist(), strict=True):
            language = "fr" if french[row] else "en"
            mood = "good" if happy[row] else "bad"
            ending = self.words.endings[f"{mood}_{language}"]
            closing = ending[int(draw[1] * len(ending))]
            if mood == "good":
                said = self.words.good[rating]
                text = said[int(draw[0] * len(said))][language == "fr"]
            else:
                challenge, *told = self.words.bad[rating][int(draw[0] * len(self.words.bad[rating]))]
                text = told[language == "fr"]
                if draw[2] < CODED_SHARE:
                    challenges[row] = self._label(challenge) if helpdesk[row] else challenge
            comments[row] = f"{text} {closing}".strip()
        return comments, challenges

    def _label(self, challenge: str) -> str:
        """How the help desk files a comment; every few times under words that nobody has mapped."""
        self.filed[challenge] += 1
        known = self.words.alias[challenge]
        return self.words.unknown.get(challenge, known) if self.filed[challenge] % UNMAPPED_EVERY == 0 else known


class Operations:
    """Records of the branches: three a week (to Tuesday, Thursday and Sunday), or one on Sunday."""

    header = ("source", "external_id", "unit", "occurred_at", "metric", "value")
    days = (1, 3, 6)

    def __init__(self, content: Content, network: Network, world: World, rng: np.random.Generator) -> None:
        spec = list(content.truth["operational"].values())
        self.network, self.world = network, world
        self.inputs = content.inputs
        self.mean = np.array([entry["mean"] for entry in spec])
        self.low = np.array([entry["low"] for entry in spec])
        self.high = np.array([entry["high"] for entry in spec])
        self.sign = np.array([content.metric(code).sign for code in content.inputs])
        often = np.array([entry.get("records", 1) == len(self.days) for entry in spec])
        self.kept = np.array([often | (day == self.days[-1]) for day in self.days])
        noise_sd = np.array([entry["noise_sd"] for entry in spec])
        self.noise: np.ndarray = noise_sd * rng.normal(
            size=(len(network.branches), network.weeks, len(self.days), len(spec))
        )

    def week(self, week: int, goodness: np.ndarray) -> tuple[Iterator[tuple[str, ...]], np.ndarray]:
        """Rows of the file, and each branch's mean as goodness, nan when closed; takes (branches, inputs)."""
        value = self.mean + self.sign * (goodness[:, None, :] + self.noise[:, week])
        value = np.round(np.clip(value, self.low, self.high), 1)
        serving = self.world.volume[:, week] > 0
        mean = (value * self.kept).sum(axis=1) / self.kept.sum(axis=0)
        seen = self.sign * (mean - self.mean)
        return self._rows(week, value, serving), np.where(serving[:, None], seen, np.nan)

    def _rows(self, week: int, value: np.ndarray, serving: np.ndarray) -> Iterator[tuple[str, ...]]:
        monday = self.network.monday(week)
        for record, day in enumerate(self.days):
            on = monday + timedelta(days=day)
            kept = self.kept[record].tolist()
            for unit in np.flatnonzero(serving).tolist():
                branch = self.network.branches[unit].code
                head = ("ops", f"{branch}.{on:%Y%m%d}", branch, f"{on}T21:00:00")
                numbers = value[unit, record].tolist()
                for code, number, is_kept in zip(self.inputs, numbers, kept, strict=True):
                    if is_kept:
                        yield (*head, code, f"{number:g}")
