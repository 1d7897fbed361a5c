"""Makes rows of what surrounds an action: tasks, check-ins, proofs, reminders, readiness."""

from datetime import date

import factory
from django.core.files.base import ContentFile
from factory.django import DjangoModelFactory

from apps.planning.models import CheckIn, PlanningRules, Proof, ReadyItem, ReadyTick, Reminder, Task
from tests.factories import ActionFactory, PlanFactory


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


class PlanningRulesFactory(DjangoModelFactory):
    class Meta:
        model = PlanningRules
        django_get_or_create = ("id",)

    id = 1
