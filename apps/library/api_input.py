"""What the API takes to write solutions and playbooks, and the services it leads to."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from apps.accounts.models import User
from apps.core.serializers import InputSerializer, ReferenceField
from apps.core.viewsets import CODE_IN_PATH
from apps.library.models import Playbook, Solution, SolutionLink, Status
from apps.library.pages import text_in
from apps.library.playbooks import (
    SOLUTIONS_MAX,
    SOLUTIONS_MIN,
    create_playbook,
    revise_playbook,
    set_playbook_status,
)
from apps.library.services import (
    FACTS,
    create_solution,
    link_solution,
    newest_version,
    publish_solution,
    retire_solution,
    revise_solution,
    unlink_solution,
)
from apps.library.texts import LENGTH_MAX, LENGTHS, NAMES, RecipeText
from apps.taxonomy.models import Challenge

LINKS_MAX = 200


def _part(name: str) -> serializers.CharField:
    return serializers.CharField(required=False, allow_blank=True, max_length=LENGTHS.get(name, LENGTH_MAX))


class PersonField(serializers.EmailField):
    """Somebody who may sign in, by e-mail address."""

    default_error_messages = {"unknown_person": gettext_lazy("Nobody here has this address.")}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # Validators read the address; who has it is found after them.
        address = super().run_validation(data)
        if address is None:
            return None
        found = User.objects.filter(email__iexact=address, is_active=True).first()
        if found is None:
            self.fail("unknown_person")
        return found


class TextInput(InputSerializer):
    """A text in one language, part by part."""

    title = _part("title")
    summary = _part("summary")
    why = _part("why")
    materials = _part("materials")
    procedure = _part("procedure")
    who = _part("who")
    how = _part("how")
    where = _part("where")
    when_and_how_much = _part("when_and_how_much")
    tailoring = _part("tailoring")
    fidelity = _part("fidelity")
    body = _part("body")


class TranslationsInput(InputSerializer):
    fr = TextInput(required=False)


class SolutionChange(TextInput):
    translations = TranslationsInput(required=False)
    kind = serializers.ChoiceField(choices=Solution.Kind.choices, required=False)
    cost = serializers.IntegerField(min_value=1, max_value=5, required=False, allow_null=True)
    effort_hours = serializers.DecimalField(
        max_digits=8, decimal_places=1, min_value=0, required=False, allow_null=True
    )
    lag_days = serializers.IntegerField(min_value=0, max_value=3_650, required=False)
    url = serializers.RegexField(r"^https?://\S+$", max_length=500, required=False, allow_blank=True)
    # A field of this name, not the attribute of fields.
    source = serializers.CharField(max_length=64, required=False, allow_blank=True)  # type: ignore[assignment]
    external_ref = serializers.CharField(max_length=200, required=False, allow_blank=True)
    owner = PersonField(required=False, allow_null=True)
    review_every_months = serializers.IntegerField(min_value=1, max_value=60, required=False, allow_null=True)
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    challenges = serializers.ListField(
        child=ReferenceField(queryset=Challenge.objects.current()), required=False, max_length=LINKS_MAX
    )
    note = serializers.CharField(max_length=1_000, required=False, allow_blank=True)


class SolutionInput(SolutionChange):
    code = serializers.RegexField(f"^{CODE_IN_PATH}$", required=False)
    title = serializers.CharField(max_length=LENGTHS["title"])
    kind = serializers.ChoiceField(choices=Solution.Kind.choices)


class ReferencedInput(SolutionInput):
    """A solution of another system, known by its reference there."""

    source = serializers.CharField(max_length=64)  # type: ignore[assignment]  # as above
    external_ref = serializers.CharField(max_length=200)


class LinkInput(InputSerializer):
    challenge = ReferenceField(queryset=Challenge.objects.current())
    rationale = serializers.CharField(max_length=2_000, required=False, allow_blank=True, default="")


class LinksInput(InputSerializer):
    links = serializers.ListField(child=LinkInput(), max_length=LINKS_MAX)


class StepInput(InputSerializer):
    solution = ReferenceField(queryset=Solution.objects.all())
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class PlaybookChange(InputSerializer):
    title = serializers.CharField(max_length=200, required=False)
    title_fr = serializers.CharField(max_length=200, required=False, allow_blank=True)
    rationale = serializers.CharField(max_length=LENGTH_MAX, required=False, allow_blank=True)
    rationale_fr = serializers.CharField(max_length=LENGTH_MAX, required=False, allow_blank=True)
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    solutions = serializers.ListField(
        child=StepInput(), required=False, min_length=SOLUTIONS_MIN, max_length=SOLUTIONS_MAX
    )


class PlaybookInput(PlaybookChange):
    code = serializers.RegexField(f"^{CODE_IN_PATH}$", required=False)
    title = serializers.CharField(max_length=200)
    solutions = serializers.ListField(child=StepInput(), min_length=SOLUTIONS_MIN, max_length=SOLUTIONS_MAX)


@transaction.atomic
def write_solution(given: Mapping[str, Any], *, as_of: date, actor: User) -> Solution:
    """A new solution; a draft unless `status` says otherwise."""
    return create_solution(
        code=given.get("code", ""),
        text=_text(RecipeText(), given),
        translations={one: _text(RecipeText(), words) for one, words in given.get("translations", {}).items()},
        facts=_facts(given),  # type: ignore[arg-type]  # the names are those of the facts
        status=given.get("status", Status.DRAFT),
        challenges=given.get("challenges", ()),
        note=given.get("note", ""),
        as_of=as_of,
        actor=actor,
    )


@transaction.atomic
def change_solution(solution: Solution, given: Mapping[str, Any], *, actor: User) -> Solution:
    """What is not given stays; `challenges` replaces the links somebody vouches for."""
    newest = newest_version(solution)
    main = newest.text if newest else RecipeText(title=solution.title)
    translations = {
        one: _text(text_in(newest, one) if newest else RecipeText(), words)
        for one, words in given.get("translations", {}).items()
    }
    revise_solution(
        solution=solution,
        text=_text(main, given),
        translations=translations,
        facts=_facts(given),  # type: ignore[arg-type]  # the names are those of the facts
        note=given.get("note", ""),
        actor=actor,
    )
    if "challenges" in given:
        known = dict(SolutionLink.objects.filter(solution=solution).values_list("challenge", "rationale"))
        links = [{"challenge": one, "rationale": known.get(one.pk, "")} for one in given["challenges"]]
        set_links(solution, links, actor=actor)
    status = given.get("status", solution.status)
    if status != solution.status and status == Status.PUBLISHED:
        publish_solution(solution=solution, actor=actor)
    elif status != solution.status and status == Status.RETIRED:
        retire_solution(solution=solution, actor=actor)
    elif status != solution.status:
        message = _("What was published can be retired, not made a draft again.")
        raise serializers.ValidationError({"status": [message]}, code="step_not_possible")
    return solution


def solution_referenced(given: Mapping[str, Any]) -> Solution | None:
    """The solution that another system knows by this reference."""
    return Solution.objects.filter(source__iexact=given["source"], external_ref=given["external_ref"]).first()


@transaction.atomic
def set_links(solution: Solution, links: list[dict[str, Any]], *, actor: User) -> None:
    """These challenges and no others, but for those it was only seen in use for."""
    wanted = {one["challenge"].pk for one in links}
    gone = SolutionLink.objects.filter(solution=solution, is_seen_in_use=False).exclude(challenge__in=wanted)
    for link in gone.select_related("challenge"):
        unlink_solution(solution=solution, challenge=link.challenge, actor=actor)
    for one in links:
        link_solution(solution=solution, challenge=one["challenge"], rationale=one["rationale"], actor=actor)


@transaction.atomic
def write_playbook(given: Mapping[str, Any], *, actor: User) -> Playbook:
    return create_playbook(
        code=given.get("code", ""),
        words=_words(given),  # type: ignore[arg-type]  # the names are those of the words
        steps=_steps(given["solutions"]),
        status=given.get("status", Status.DRAFT),
        actor=actor,
    )


@transaction.atomic
def change_playbook(playbook: Playbook, given: Mapping[str, Any], *, actor: User) -> Playbook:
    words = _words(given)
    if words or "solutions" in given:
        steps = _steps(given["solutions"]) if "solutions" in given else None
        revise_playbook(playbook=playbook, words=words, steps=steps, actor=actor)  # type: ignore[arg-type]
    if "status" in given:
        set_playbook_status(playbook=playbook, status=Status(given["status"]), actor=actor)
    return playbook


def _text(base: RecipeText, given: Mapping[str, Any]) -> RecipeText:
    return replace(base, **{name: given[name] for name in NAMES if name in given})


def _facts(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in FACTS if name in given}


def _words(given: Mapping[str, Any]) -> dict[str, str]:
    return {name: given[name] for name in ("title", "title_fr", "rationale", "rationale_fr") if name in given}


def _steps(rows: list[dict[str, Any]]) -> list[tuple[Solution, str]]:
    return [(row["solution"], row["note"]) for row in rows]
