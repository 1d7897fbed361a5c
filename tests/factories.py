"""One factory per model, for tests."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import factory
from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.db.backends.postgresql.psycopg_any import DateRange
from factory.django import DjangoModelFactory

from apps.accounts.models import ApiToken, AuditEvent, Membership, Role, Unit, UnitPlacement, User
from apps.accounts.services import token_digest
from apps.curation.models import OutsideEvidence
from apps.feedback.models import Cell, Response, ResponseChallenge, Score, Series, Source
from apps.impact.models import Effect, RankedSolution, Run, SideEffect, SolutionClaim
from apps.imports.models import ImportBatch, Kind
from apps.library.models import Solution, SolutionLink, SolutionVersion
from apps.planning.models import (
    Action,
    ActionSolution,
    Event,
    Plan,
)
from apps.taxonomy.models import Alias, Challenge, Journey, Metric, Touchpoint

PASSWORD = "a long enough password"
FIRST_DAY = date(2020, 1, 1)
MONDAY = date(2024, 1, 1)


@cache
def password_hash() -> str:
    """Hashing is slow on purpose; once per run is enough."""
    return make_password(PASSWORD)


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    email = factory.Sequence(lambda number: f"person{number}@example.org")
    name = factory.Sequence(lambda number: f"Person {number}")
    password = factory.LazyFunction(password_hash)


class UnitFactory(DjangoModelFactory):
    """`parent=` places the unit under another one since FIRST_DAY."""

    class Meta:
        model = Unit

    code = factory.Sequence(lambda number: f"U{number:03}")
    name = factory.LazyAttribute(lambda unit: f"Unit {unit.code}")
    kind = "branch"

    @classmethod
    def _create(cls, model_class: type[Unit], *args: Any, parent: Unit | None = None, **fields: Any) -> Unit:
        unit = super()._create(model_class, *args, **fields)
        unit.path = f"{parent.path if parent else ''}{unit.pk}."
        unit.save(update_fields=["path"])
        UnitPlacement.objects.create(unit=unit, parent=parent, valid=DateRange(FIRST_DAY, None))
        return unit


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    unit = factory.SubFactory(UnitFactory)
    role = Role.STAFF


class ApiTokenFactory(DjangoModelFactory):
    """`secret=` is what a program sends; only its digest is stored."""

    class Meta:
        model = ApiToken

    class Params:
        secret = factory.Sequence(lambda number: f"cxp_secret_of_test_{number}")

    user = factory.SubFactory(UserFactory)
    name = "A program"
    prefix = factory.LazyAttribute(lambda token: token.secret[:10])
    digest = factory.LazyAttribute(lambda token: token_digest(token.secret))
    scopes = factory.LazyFunction(lambda: list(ApiToken.Access.values))


class AuditEventFactory(DjangoModelFactory):
    class Meta:
        model = AuditEvent

    event = "accounts.unit.placed"
    actor = factory.SubFactory(UserFactory)
    subject = "accounts.unit:1"


class JourneyFactory(DjangoModelFactory):
    class Meta:
        model = Journey

    code = factory.Sequence(lambda number: f"journey-{number}")
    name = factory.LazyAttribute(lambda journey: journey.code.title())


class TouchpointFactory(DjangoModelFactory):
    class Meta:
        model = Touchpoint

    code = factory.Sequence(lambda number: f"touchpoint-{number}")
    name = factory.LazyAttribute(lambda touchpoint: touchpoint.code.title())
    journey = factory.SubFactory(JourneyFactory)
    position = factory.Sequence(lambda number: number)


class MetricFactory(DjangoModelFactory):
    class Meta:
        model = Metric

    code = factory.Sequence(lambda number: f"metric-{number}")
    name = factory.LazyAttribute(lambda metric: metric.code.title())
    kind = Metric.Kind.PERCEPTION
    scale_min = Decimal(0)
    scale_max = Decimal(10)
    touchpoint = factory.SubFactory(TouchpointFactory)
    journey = factory.LazyAttribute(lambda metric: metric.touchpoint.journey if metric.touchpoint else None)


class ChallengeFactory(DjangoModelFactory):
    class Meta:
        model = Challenge

    code = factory.Sequence(lambda number: f"challenge-{number}")
    name = factory.LazyAttribute(lambda challenge: challenge.code.title())
    metric = factory.SubFactory(MetricFactory)
    touchpoint = factory.LazyAttribute(lambda challenge: challenge.metric.touchpoint if challenge.metric else None)

    @classmethod
    def _create(cls, model_class: type[Challenge], *args: Any, **fields: Any) -> Challenge:
        challenge = super()._create(model_class, *args, **fields)
        challenge.path = f"{challenge.parent.path if challenge.parent else ''}{challenge.pk}."
        challenge.save(update_fields=["path"])
        return challenge


class AliasFactory(DjangoModelFactory):
    class Meta:
        model = Alias

    source = "helpdesk"
    label = factory.Sequence(lambda number: f"label {number}")
    challenge = factory.SubFactory(ChallengeFactory)


class SolutionFactory(DjangoModelFactory):
    class Meta:
        model = Solution

    code = factory.Sequence(lambda number: f"solution-{number}")
    title = factory.LazyAttribute(lambda solution: solution.code.title())
    kind = Solution.Kind.TRAINING
    cost = 2
    lag_days = 14


class SolutionVersionFactory(DjangoModelFactory):
    class Meta:
        model = SolutionVersion

    solution = factory.SubFactory(SolutionFactory)
    number = factory.LazyAttribute(lambda version: version.solution.versions.count() + 1)
    title = factory.LazyAttribute(lambda version: version.solution.title)
    summary = "What it is in a sentence."
    lag_days = factory.LazyAttribute(lambda version: version.solution.lag_days)

    @classmethod
    def _create(cls, model_class: type[SolutionVersion], *args: Any, **fields: Any) -> SolutionVersion:
        version = super()._create(model_class, *args, **fields)
        version.solution.summary = version.summary
        version.solution.save(update_fields=["summary"])
        return version


class SolutionLinkFactory(DjangoModelFactory):
    class Meta:
        model = SolutionLink

    challenge = factory.SubFactory(ChallengeFactory)
    solution = factory.SubFactory(SolutionFactory)


class SourceFactory(DjangoModelFactory):
    class Meta:
        model = Source

    code = factory.Sequence(lambda number: f"source-{number}")


class ResponseFactory(DjangoModelFactory):
    class Meta:
        model = Response

    source = factory.SubFactory(SourceFactory)
    external_id = factory.Sequence(lambda number: f"R{number}")
    unit = factory.SubFactory(UnitFactory)
    occurred_at = datetime(2024, 1, 3, 12, tzinfo=UTC)
    week = MONDAY


class ScoreFactory(DjangoModelFactory):
    class Meta:
        model = Score

    response = factory.SubFactory(ResponseFactory)
    metric = factory.SubFactory(MetricFactory)
    value = Decimal(8)


class SeriesFactory(DjangoModelFactory):
    class Meta:
        model = Series

    unit = factory.SubFactory(UnitFactory)
    metric = factory.SubFactory(MetricFactory)


class CellFactory(DjangoModelFactory):
    """`n` answers whose every value is `value`."""

    class Meta:
        model = Cell

    class Params:
        value = Decimal(8)

    unit = factory.SubFactory(UnitFactory)
    metric = factory.SubFactory(MetricFactory)
    week = MONDAY
    n = 10
    weight = factory.LazyAttribute(lambda cell: Decimal(cell.n))
    weight_squares = factory.LazyAttribute(lambda cell: Decimal(cell.n))
    total = factory.LazyAttribute(lambda cell: cell.value * cell.n)
    squares = factory.LazyAttribute(lambda cell: cell.value * cell.value * cell.n)


class ResponseChallengeFactory(DjangoModelFactory):
    class Meta:
        model = ResponseChallenge

    response = factory.SubFactory(ResponseFactory)
    challenge = factory.SubFactory(ChallengeFactory)
    origin = ResponseChallenge.Origin.GIVEN


class PlanFactory(DjangoModelFactory):
    class Meta:
        model = Plan

    challenge = factory.SubFactory(ChallengeFactory)
    target_metric = factory.LazyAttribute(lambda plan: plan.challenge.metric)
    owner = factory.SubFactory(UserFactory)
    intention = "On Mondays, at the counter, with the whole shift."


class ActionFactory(DjangoModelFactory):
    """An applied action without solutions; see ActionSolutionFactory."""

    class Meta:
        model = Action

    external_id = factory.Sequence(lambda number: f"A{number:04}")
    unit = factory.SubFactory(UnitFactory)
    challenge = factory.SubFactory(ChallengeFactory)
    target_metric = factory.LazyAttribute(lambda action: action.challenge.metric)
    state = Action.State.APPLIED
    effective_on = date(2024, 3, 4)


class ActionSolutionFactory(DjangoModelFactory):
    class Meta:
        model = ActionSolution

    action = factory.SubFactory(ActionFactory)
    version = factory.SubFactory(SolutionVersionFactory)
    fidelity = 90


class EventFactory(DjangoModelFactory):
    class Meta:
        model = Event

    unit = factory.SubFactory(UnitFactory)
    name = factory.Sequence(lambda number: f"Works {number}")
    starts_on = date(2024, 2, 5)


class RunFactory(DjangoModelFactory):
    class Meta:
        model = Run

    metric = factory.SubFactory(MetricFactory)
    state = Run.State.FINISHED
    method = "test-1"
    fingerprint = "0" * 64
    as_of = date(2024, 6, 3)


class EffectFactory(DjangoModelFactory):
    class Meta:
        model = Effect

    action = factory.SubFactory(ActionFactory)
    metric = factory.LazyAttribute(lambda effect: effect.action.target_metric)
    run = factory.LazyAttribute(lambda effect: RunFactory(metric=effect.metric))
    role = Effect.Role.TARGET
    status = Effect.Status.ESTIMATED
    effect = 4.0
    se = 1.0
    low = 2.0
    high = 6.0
    p_positive = 0.99
    naive_change = 7.0
    weeks_before = 26
    weeks_after = 12
    n_before = 520
    n_after = 240
    placebo_p = 0.4
    quality = 80
    method = "test-1"
    fingerprint = "0" * 64
    as_of = date(2024, 6, 3)


class RankedSolutionFactory(DjangoModelFactory):
    class Meta:
        model = RankedSolution

    challenge = factory.SubFactory(ChallengeFactory)
    solution = factory.SubFactory(SolutionFactory)
    metric = factory.LazyAttribute(lambda ranked: ranked.challenge.metric)
    run = factory.LazyAttribute(lambda ranked: RunFactory(metric=ranked.metric))
    rank = 1
    tier = 1
    effect = 4.0
    se = 1.0
    low = 2.0
    high = 6.0
    p_positive = 0.99
    p_best = 0.7
    expected_rank = 1.3
    action_count = 7
    unit_count = 5
    heterogeneity = 1.5
    evidence = 3
    verdict = RankedSolution.Verdict.WORKS
    naive_change = 6.0
    method = "test-1"
    fingerprint = "0" * 64
    as_of = date(2024, 6, 3)


class SolutionClaimFactory(DjangoModelFactory):
    class Meta:
        model = SolutionClaim

    solution = factory.SubFactory(SolutionFactory)
    metric = factory.SubFactory(MetricFactory)
    as_of = date(2024, 6, 3)
    verdict = RankedSolution.Verdict.WORKS
    effect = 4.0
    se = 1.0
    low = 2.0
    high = 6.0
    p_positive = 0.99
    action_count = 7
    unit_count = 5
    evidence = 3
    method = "test-1"
    fingerprint = "0" * 64
    made_at = datetime(2024, 6, 3, 4, 0, tzinfo=UTC)


class SideEffectFactory(DjangoModelFactory):
    class Meta:
        model = SideEffect

    metric = factory.SubFactory(MetricFactory)
    solution = factory.SubFactory(SolutionFactory)
    run = factory.LazyAttribute(lambda side: RunFactory(metric=side.metric))
    effect = -2.0
    se = 0.8
    low = -3.6
    high = -0.4
    p_harm = 0.99
    action_count = 6


class ImportBatchFactory(DjangoModelFactory):
    class Meta:
        model = ImportBatch

    kind = Kind.FEEDBACK
    source = "survey"
    state = ImportBatch.State.FINISHED
    file = factory.LazyFunction(lambda: ContentFile(b"source,external_id\n", name="feedback.csv"))
    file_name = "feedback.csv"
    actor = factory.SubFactory(UserFactory)


class OutsideEvidenceFactory(DjangoModelFactory):
    class Meta:
        model = OutsideEvidence

    pack = "service-counter"
    solution = factory.SubFactory(SolutionFactory)
    outcome = "Satisfaction"
    effect, low, high = 0.4, 0.2, 0.6
    use_count, unit_count, level = 9, 5, 3
