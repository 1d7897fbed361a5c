"""Makes rows of what measurement keeps beside its results."""

from datetime import UTC, date, datetime

import factory
from factory.django import DjangoModelFactory

from apps.impact.models import (
    ActionClaim,
    Basis,
    Chunk,
    Portion,
    RankedSolution,
    Reading,
    Run,
    SolutionClaim,
    Told,
)
from tests.factories import ActionFactory, MetricFactory, RunFactory, SolutionFactory


class BasisFactory(DjangoModelFactory):
    class Meta:
        model = Basis

    metric = factory.SubFactory(MetricFactory)
    month = date(2024, 6, 1)
    digest = "0" * 64
    unit_count = 120
    action_count = 60
    effective_count = 9000.0
    noise = factory.LazyFunction(dict)
    fitted_at = datetime(2024, 6, 3, 4, tzinfo=UTC)


class ChunkFactory(DjangoModelFactory):
    class Meta:
        model = Chunk

    run = factory.SubFactory(RunFactory, state=Run.State.RUNNING)
    step = Chunk.Step.UNITS
    number = factory.Sequence(int)
    digest = "0" * 64


class PortionFactory(DjangoModelFactory):
    class Meta:
        model = Portion

    run = factory.SubFactory(RunFactory)
    part = Portion.Part.UNITS
    number = factory.Sequence(int)
    body = b""


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
    heterogeneity = 1.5
    action_count = 7
    unit_count = 5
    evidence = 3
    method = "test-1"
    fingerprint = "0" * 64
    made_at = datetime(2024, 6, 3, 4, tzinfo=UTC)


class ActionClaimFactory(DjangoModelFactory):
    class Meta:
        model = ActionClaim

    action = factory.SubFactory(ActionFactory)
    metric = factory.LazyAttribute(lambda claim: claim.action.target_metric)
    as_of = date(2024, 6, 3)
    verdict = "improved"
    effect = 4.0
    low = 2.0
    high = 6.0
    p_positive = 0.99
    method = "test-1"
    fingerprint = "0" * 64
    made_at = datetime(2024, 6, 3, 4, tzinfo=UTC)


class ReadingFactory(DjangoModelFactory):
    class Meta:
        model = Reading

    action = factory.SubFactory(ActionFactory)
    text = "The early shift did it every day, the late shift not."
    verdict = "improved"
    written_at = datetime(2024, 6, 4, 9, tzinfo=UTC)


class ToldFactory(DjangoModelFactory):
    class Meta:
        model = Told

    action = factory.SubFactory(ActionFactory)
    verdict = "improved"
    told_at = datetime(2024, 6, 4, 9, tzinfo=UTC)
