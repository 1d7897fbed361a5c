"""One factory per model of ideas and calls, for tests."""

from datetime import UTC, date, datetime

import factory
from factory.django import DjangoModelFactory

from apps.ideas.models import Call, Comment, Escalation, Idea, Pilot, Report, Vote
from tests.factories import ChallengeFactory, UnitFactory, UserFactory


class CallFactory(DjangoModelFactory):
    class Meta:
        model = Call

    title = factory.Sequence(lambda number: f"What would shorten the queue? {number}")
    challenge = factory.SubFactory(ChallengeFactory)
    opens_on = date(2024, 1, 1)
    closes_on = date(2099, 1, 31)
    owner = factory.SubFactory(UserFactory)


class IdeaFactory(DjangoModelFactory):
    """A public idea under a name; `author=None` with an `author_key` makes it anonymous."""

    class Meta:
        model = Idea

    title = factory.Sequence(lambda number: f"Idea number {number}")
    text = factory.LazyAttribute(lambda idea: f"{idea.title}, in more words.")
    author = factory.SubFactory(UserFactory)
    unit = factory.SubFactory(UnitFactory)
    level = factory.LazyAttribute(lambda idea: idea.unit)
    state_since = datetime(2024, 6, 3, 9, tzinfo=UTC)
    let_in_at = datetime(2024, 6, 3, 9, tzinfo=UTC)
    due_at = datetime(2099, 6, 10, 9, tzinfo=UTC)


class VoteFactory(DjangoModelFactory):
    class Meta:
        model = Vote

    idea = factory.SubFactory(IdeaFactory)
    user = factory.SubFactory(UserFactory)


class CommentFactory(DjangoModelFactory):
    class Meta:
        model = Comment

    idea = factory.SubFactory(IdeaFactory)
    author = factory.SubFactory(UserFactory)
    text = "We have that, too."
    let_in_at = datetime(2024, 6, 3, 10, tzinfo=UTC)


class ReportFactory(DjangoModelFactory):
    class Meta:
        model = Report

    comment = factory.SubFactory(CommentFactory)
    user = factory.SubFactory(UserFactory)
    reason = "It names a customer."


class EscalationFactory(DjangoModelFactory):
    class Meta:
        model = Escalation

    idea = factory.SubFactory(IdeaFactory)
    due_at = datetime(2024, 6, 10, 9, tzinfo=UTC)
    unit = factory.SubFactory(UnitFactory)
    at = datetime(2024, 6, 10, 10, tzinfo=UTC)


class PilotFactory(DjangoModelFactory):
    class Meta:
        model = Pilot

    idea = factory.SubFactory(IdeaFactory)
    unit = factory.SubFactory(UnitFactory)
