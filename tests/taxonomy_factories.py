"""Factories of journeys as they were and of labels that nobody has mapped."""

from datetime import UTC, datetime

import factory
from factory.django import DjangoModelFactory

from apps.feedback.models import ResponseLabel
from apps.taxonomy.models import Acceptance, JourneyVersion, TouchpointPlace, UnmappedLabel
from tests.factories import JourneyFactory, ResponseFactory, TouchpointFactory, UserFactory


class JourneyVersionFactory(DjangoModelFactory):
    class Meta:
        model = JourneyVersion

    journey = factory.SubFactory(JourneyFactory)
    number = 1


class TouchpointPlaceFactory(DjangoModelFactory):
    class Meta:
        model = TouchpointPlace

    version = factory.SubFactory(JourneyVersionFactory)
    touchpoint = factory.SubFactory(TouchpointFactory)
    position = 1
    name = "Counter"


class UnmappedLabelFactory(DjangoModelFactory):
    class Meta:
        model = UnmappedLabel

    source = "helpdesk"
    label = factory.Sequence(lambda number: f"unmapped {number}")
    first_seen_at = datetime(2024, 1, 3, 12, tzinfo=UTC)
    last_seen_at = datetime(2024, 2, 3, 12, tzinfo=UTC)
    response_count = 1


class ResponseLabelFactory(DjangoModelFactory):
    class Meta:
        model = ResponseLabel

    response = factory.SubFactory(ResponseFactory)
    label = factory.SubFactory(UnmappedLabelFactory)


class AcceptanceFactory(DjangoModelFactory):
    class Meta:
        model = Acceptance

    asked_by = factory.SubFactory(UserFactory)
    asked_at = datetime(2024, 2, 3, 12, tzinfo=UTC)
    least = 70
    label_count = 1
    # Only one may run at a time.
    finished_at = datetime(2024, 2, 3, 12, 1, tzinfo=UTC)
