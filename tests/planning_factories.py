"""Makes rows of what surrounds an action: tasks, check-ins, proofs, reminders, readiness."""

from datetime import UTC, date, datetime

import factory
from django.core.files.base import ContentFile
from factory.django import DjangoModelFactory

from apps.planning.dismissal import Dismissal
from apps.planning.models import (
    CalendarFeed,
    CheckIn,
    Draw,
    DrawnUnit,
    PlanningRules,
    Proof,
    ReadyItem,
    ReadyScore,
    ReadyTick,
    Reminder,
    Task,
)
from tests.factories import ActionFactory, ChallengeFactory, PlanFactory, SolutionFactory, UnitFactory, UserFactory


class TaskFactory(DjangoModelFactory):
    class Meta:
        model = Task

    action = factory.SubFactory(ActionFactory)
    title = "Print the card that explains the fee"


class CheckInFactory(DjangoModelFactory):
    class Meta:
        model = CheckIn

    action = factory.SubFactory(ActionFactory)
    happening = CheckIn.Happening.PARTLY
    working = CheckIn.Working.UNCLEAR
    obstacle = CheckIn.Obstacle.TIME
    made_on = date(2024, 3, 18)


class ProofFactory(DjangoModelFactory):
    class Meta:
        model = Proof

    action = factory.SubFactory(ActionFactory)
    kind = Proof.Kind.DOCUMENT
    file = factory.LazyFunction(lambda: ContentFile(b"%PDF-1.4", name="poster.pdf"))
    name = "poster.pdf"
    content_type = "application/pdf"


class ReminderFactory(DjangoModelFactory):
    class Meta:
        model = Reminder

    kind = Reminder.Kind.CHECK_IN
    action = factory.SubFactory(ActionFactory)
    due_on = date(2024, 3, 18)


class ReadyItemFactory(DjangoModelFactory):
    class Meta:
        model = ReadyItem

    label = factory.Sequence(lambda number: f"Does everybody on shift know? ({number})")


class ReadyTickFactory(DjangoModelFactory):
    class Meta:
        model = ReadyTick

    plan = factory.SubFactory(PlanFactory)
    item = factory.SubFactory(ReadyItemFactory)


class ReadyScoreFactory(DjangoModelFactory):
    class Meta:
        model = ReadyScore

    plan = factory.SubFactory(PlanFactory)
    aspect = ReadyScore.Aspect.NEED
    score = 4


class PlanningRulesFactory(DjangoModelFactory):
    class Meta:
        model = PlanningRules
        django_get_or_create = ("id",)

    id = 1


class DrawFactory(DjangoModelFactory):
    class Meta:
        model = Draw

    plan = factory.SubFactory(PlanFactory)
    seed = 7
    steps = 2
    gap_weeks = 4
    first_on = date(2024, 6, 10)
    drawn_at = datetime(2024, 6, 5, 12, tzinfo=UTC)
    reads_on = date(2024, 10, 21)


class DrawnUnitFactory(DjangoModelFactory):
    class Meta:
        model = DrawnUnit

    draw = factory.SubFactory(DrawFactory)
    unit = factory.SubFactory(UnitFactory)
    step = 0
    starts_on = date(2024, 6, 10)


class CalendarFeedFactory(DjangoModelFactory):
    class Meta:
        model = CalendarFeed

    user = factory.SubFactory(UserFactory)
    digest = factory.Sequence(lambda number: f"{number:064}")


class DismissalFactory(DjangoModelFactory):
    class Meta:
        model = Dismissal

    unit = factory.SubFactory(UnitFactory)
    challenge = factory.SubFactory(ChallengeFactory)
    solution = factory.SubFactory(SolutionFactory)
    reason = Dismissal.Reason.COSTLY
