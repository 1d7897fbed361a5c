"""Look-alikes and labels of solutions, for tests."""

from datetime import UTC, datetime

import factory
from factory.django import DjangoModelFactory

from apps.curation.models import Compared, LookAlike
from apps.library.models import SolutionAlias, UnmappedSolution
from tests.factories import SolutionFactory


class LookAlikeFactory(DjangoModelFactory):
    """Two solutions; name `idea`, `other_idea` and the kind for other pairs."""

    class Meta:
        model = LookAlike

    kind = "solutions"
    solution = factory.SubFactory(SolutionFactory)
    other_solution = factory.SubFactory(SolutionFactory)
    likeness = 0.8
    found_at = datetime(2024, 6, 3, 9, tzinfo=UTC)


class ComparedFactory(DjangoModelFactory):
    class Meta:
        model = Compared

    solution = factory.SubFactory(SolutionFactory)
    digest = "0" * 32


class SolutionAliasFactory(DjangoModelFactory):
    class Meta:
        model = SolutionAlias

    source = "helpdesk"
    label = factory.Sequence(lambda number: f"remedy {number}")
    solution = factory.SubFactory(SolutionFactory)


class UnmappedSolutionFactory(DjangoModelFactory):
    class Meta:
        model = UnmappedSolution

    source = "helpdesk"
    label = factory.Sequence(lambda number: f"unmapped remedy {number}")
    first_seen_at = datetime(2024, 1, 3, 12, tzinfo=UTC)
    last_seen_at = datetime(2024, 2, 3, 12, tzinfo=UTC)
    rejected_count = 1
