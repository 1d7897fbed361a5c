"""Rows of the library beside solutions, their versions and links."""

import factory
from django.core.files.base import ContentFile
from factory.django import DjangoModelFactory

from apps.library.models import (
    ChangeRequest,
    Learning,
    LearningUse,
    Playbook,
    PlaybookSolution,
    SolutionFile,
    VersionTranslation,
    Watch,
    WebLink,
)
from tests.factories import SolutionFactory, SolutionVersionFactory, UserFactory


class VersionTranslationFactory(DjangoModelFactory):
    class Meta:
        model = VersionTranslation

    version = factory.SubFactory(SolutionVersionFactory)
    language = "fr"
    title = factory.LazyAttribute(lambda one: f"{one.version.title} (fr)")


class WebLinkFactory(DjangoModelFactory):
    class Meta:
        model = WebLink

    solution = factory.SubFactory(SolutionFactory)
    url = factory.Sequence(lambda number: f"https://example.org/{number}")


class SolutionFileFactory(DjangoModelFactory):
    class Meta:
        model = SolutionFile

    solution = factory.SubFactory(SolutionFactory)
    file = factory.LazyFunction(lambda: ContentFile(b"Look up.\n", name="sheet.txt"))
    name = "sheet.txt"
    content_type = "text/plain"
    size = 9


class PlaybookFactory(DjangoModelFactory):
    class Meta:
        model = Playbook

    code = factory.Sequence(lambda number: f"playbook-{number}")
    title = factory.LazyAttribute(lambda playbook: playbook.code.title())


class PlaybookSolutionFactory(DjangoModelFactory):
    class Meta:
        model = PlaybookSolution

    playbook = factory.SubFactory(PlaybookFactory)
    solution = factory.SubFactory(SolutionFactory)
    position = factory.LazyAttribute(lambda step: step.playbook.steps.count() + 1)


class ChangeRequestFactory(DjangoModelFactory):
    class Meta:
        model = ChangeRequest

    version = factory.SubFactory(SolutionVersionFactory)
    solution = factory.LazyAttribute(lambda request: request.version.solution)
    language = "en"
    changes = factory.LazyFunction(lambda: {"why": "Because they feel seen."})
    reason = "We tried it."
    author = factory.SubFactory(UserFactory)


class WatchFactory(DjangoModelFactory):
    class Meta:
        model = Watch

    solution = factory.SubFactory(SolutionFactory)
    user = factory.SubFactory(UserFactory)


class LearningFactory(DjangoModelFactory):
    class Meta:
        model = Learning

    solution = factory.SubFactory(SolutionFactory)
    statement = "It needs the whole shift."


class LearningUseFactory(DjangoModelFactory):
    class Meta:
        model = LearningUse

    learning = factory.SubFactory(LearningFactory)
    action_id = factory.Sequence(lambda number: f"A{number:04}")
