"""What CX leads decide on ideas over the API."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Role, User
from apps.core.etags import check_if_match
from apps.core.serializers import InputSerializer, ReferenceField
from apps.ideas import decisions, moderation
from apps.ideas.api import TEXT_MOST, IdeaSerializer, IdeaViewSet, UnitReference
from apps.ideas.api_input import IdeaReference
from apps.ideas.models import Idea
from apps.ideas.promotion import publish_idea, recipe_of, write_recipe
from apps.ideas.selectors import pilotable_units
from apps.library.api_input import TextInput, TranslationsInput
from apps.library.models import Solution
from apps.library.services import Facts
from apps.library.texts import NAMES, RecipeText
from apps.taxonomy.models import Challenge

UNITS_MOST, CHALLENGES_MOST = 200, 200


class NothingInput(InputSerializer):
    """Takes nothing."""


class QuestionInput(InputSerializer):
    question = serializers.CharField(max_length=TEXT_MOST)


class PilotInput(InputSerializer):
    units = serializers.ListField(
        child=UnitReference(),
        allow_empty=False,
        max_length=UNITS_MOST,
        help_text="Codes of open units of the caller that hold no other unit.",
    )
    reason = serializers.CharField(max_length=TEXT_MOST, required=False, allow_blank=True, default="")


class IdeaDeclineInput(InputSerializer):
    reason = serializers.ChoiceField(choices=Idea.Reason.choices)
    text = serializers.CharField(max_length=TEXT_MOST, help_text="The author reads it.")


class ReasonInput(InputSerializer):
    reason = serializers.CharField(max_length=TEXT_MOST, help_text="The author reads it.")


class IdeaMergeInput(InputSerializer):
    into = IdeaReference(is_standing=True)


class RecipeInput(TextInput):
    """Parts that are not given stay as in the draft; before there is one they come from the idea."""

    translations = TranslationsInput(required=False)
    kind = serializers.ChoiceField(choices=Solution.Kind.choices, required=False)
    cost = serializers.IntegerField(min_value=1, max_value=5, required=False, allow_null=True)
    effort_hours = serializers.DecimalField(
        max_digits=8, decimal_places=1, min_value=0, required=False, allow_null=True
    )
    lag_days = serializers.IntegerField(min_value=0, max_value=730, required=False)
    challenges = serializers.ListField(
        child=ReferenceField(queryset=Challenge.objects.current()),
        required=False,
        max_length=CHALLENGES_MOST,
        help_text="Those it answers; the challenge of the idea when none is given.",
    )


class DecidedIdeaViewSet(IdeaViewSet):
    """What colleagues propose, and what CX leads decide on the ideas of their units.

    An idea without a name is proposed on its page, never over the API. A decision in a state that does not allow
    it is refused; with `If-Match` also one on an idea that somebody changed after it was read.
    """

    @extend_schema(request=None, responses=IdeaSerializer)
    @action(detail=True, methods=["post"])
    def review(self, request: Request, id: str) -> Response:  # noqa: A002  # the name in the address
        """Take it into review; the author is told."""
        return self._decide(request, NothingInput, decisions.review_idea)

    @extend_schema(request=QuestionInput, responses=IdeaSerializer)
    @action(detail=True, methods=["post"])
    def ask(self, request: Request, id: str) -> Response:  # noqa: A002
        """Ask the author something, also one without a name."""
        return self._decide(request, QuestionInput, decisions.ask_author)

    @extend_schema(request=PilotInput, responses=IdeaSerializer)
    @action(detail=True, methods=["post"])
    def pilot(self, request: Request, id: str) -> Response:  # noqa: A002
        """Ask units to try it first; their managers and the author are told."""
        return self._decide(request, PilotInput, decisions.pilot_idea)

    @extend_schema(request=IdeaDeclineInput, responses=IdeaSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, id: str) -> Response:  # noqa: A002
        """Say no, or not now, with a reason of the list and in words."""
        return self._decide(request, IdeaDeclineInput, decisions.decline_idea)

    @extend_schema(request=ReasonInput, responses=IdeaSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, id: str) -> Response:  # noqa: A002
        """Take a declined idea up again."""
        return self._decide(request, ReasonInput, decisions.reopen_idea)

    @extend_schema(request=IdeaMergeInput, responses=IdeaSerializer)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, id: str) -> Response:  # noqa: A002
        """Join it with another one, in which its votes, authors and comments count from now on."""
        # Two ideas are held in the order of their ids: held before, two merges might wait for each other.
        return self._decide(request, IdeaMergeInput, decisions.merge_idea, is_held=False)

    @extend_schema(request=None, responses=IdeaSerializer)
    @action(detail=True, methods=["post"])
    def unmerge(self, request: Request, id: str) -> Response:  # noqa: A002
        """Take a merge back within a day."""
        return self._decide(request, NothingInput, decisions.unmerge_idea, is_held=False)

    @extend_schema(request=RecipeInput, responses=IdeaSerializer)
    @action(detail=True, methods=["post"])
    def promote(self, request: Request, id: str) -> Response:  # noqa: A002
        """Write it down as a solution, still a draft that credits its author; again to change the draft."""
        return self._decide(request, RecipeInput, _write_recipe)

    @extend_schema(request=None, responses=IdeaSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, id: str) -> Response:  # noqa: A002
        """Put its solution into the library; the author and all who voted are told."""
        return self._decide(request, NothingInput, publish_idea)

    @extend_schema(request=None, responses=IdeaSerializer)
    @action(detail=True, methods=["post"], url_path="let-in")
    def let_in(self, request: Request, id: str) -> Response:  # noqa: A002
        """Show an idea that waited, or was hidden by mistake, to everybody."""
        return self._decide(request, NothingInput, moderation.let_idea_in)

    @extend_schema(request=ReasonInput, responses=IdeaSerializer)
    @action(detail=True, methods=["post"])
    def hide(self, request: Request, id: str) -> Response:  # noqa: A002
        """Take it out of sight; the author is told why."""
        return self._decide(request, ReasonInput, moderation.hide_idea)

    def _decide(
        self,
        request: Request,
        form: type[InputSerializer],
        decide: Callable[..., object],
        *,
        is_held: bool = True,
    ) -> Response:
        return self._once(request, lambda: self._decided(request, form, decide, is_held=is_held))

    @transaction.atomic
    def _decided(
        self, request: Request, form: type[InputSerializer], decide: Callable[..., object], *, is_held: bool
    ) -> Response:
        person, idea = self._person(), self.get_object()
        if not person.holds(Role.LEAD, idea.unit.path):
            raise PermissionDenied
        if is_held:
            Idea.objects.select_for_update().get(pk=idea.pk)
            idea = self.get_object()
        check_if_match(request, self._shown(idea)["ETag"])
        given = form(data=request.data, context={"person": person, "units": pilotable_units(person)})
        given.is_valid(raise_exception=True)
        decide(idea=idea, at=timezone.now(), actor=person.user, **given.validated_data)
        return self._shown(self.get_object())


def _write_recipe(*, idea: Idea, at: datetime, actor: User, **given: Any) -> Solution:
    text, french = recipe_of(idea)
    facts: Facts = {"kind": Solution.Kind.SOP} if idea.solution is None else {}
    for name in ("kind", "cost", "effort_hours", "lag_days"):
        if name in given:
            facts[name] = given[name]
    usual = [idea.challenge.standing] if idea.challenge is not None else []
    return write_recipe(
        idea=idea,
        text=_with_parts(text, given),
        french=_with_parts(french, given.get("translations", {}).get("fr", {})),
        facts=facts,
        challenges=given.get("challenges", usual),
        actor=actor,
    )


def _with_parts(text: RecipeText, given: dict[str, Any]) -> RecipeText:
    return replace(text, **{name: given[name] for name in NAMES if name in given})
