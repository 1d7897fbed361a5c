"""Changes that colleagues ask for in a recipe, and what leads make of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.library.care import leads, tell_watchers
from apps.library.models import ChangeRequest, Solution, SolutionVersion
from apps.library.services import locked, newest_version, revise_solution
from apps.library.texts import LANGUAGES, LENGTH_MAX, LENGTHS, MAIN_LANGUAGE, NAMES, RecipeText
from apps.notifications.services import Message, notify

OPEN_MAX = 20


class RequestNotUsable(CxplanError):
    code = "request_not_usable"


class RequestDecided(CxplanError):
    code = "step_not_possible"


@transaction.atomic
def request_change(
    *,
    solution: Solution,
    language: str,
    changes: Mapping[str, str],
    reason: str,
    at: datetime,
    actor: User,
) -> ChangeRequest:
    """Ask for other words in some parts of a recipe; its owner, or else the leads, are told.

    Raises RequestNotUsable when nothing differs, no reason is given, or too many wait already.
    """
    version = newest_version(locked(solution))
    if version is None or language not in LANGUAGES:
        raise RequestNotUsable(_("There is no text to change yet."))
    current = current_text(version, language)
    wanted = {name: value.replace("\r\n", "\n").strip() for name, value in changes.items() if name in NAMES}
    differing = {name: value for name, value in wanted.items() if value != current.as_dict()[name]}
    if not differing:
        raise RequestNotUsable(_("Nothing differs from the recipe as it is. Change at least one part."))
    if any(len(value) > LENGTHS.get(name, LENGTH_MAX) for name, value in differing.items()):
        raise RequestNotUsable(_("One part is too long."))
    if not reason.strip():
        raise RequestNotUsable(_("Say why, so that the lead can decide."), field="reason")
    waiting = ChangeRequest.objects.filter(author=actor, state=ChangeRequest.State.OPEN)
    if waiting.count() >= OPEN_MAX:
        raise RequestNotUsable(_("Many of your changes wait for a decision. Give the leads a little time."))
    request = ChangeRequest.objects.create(
        solution=solution,
        version=version,
        language=language,
        changes=differing,
        reason=reason.strip(),
        author=actor,
    )
    record(
        event="library.change_request.opened",
        actor=actor,
        subject=request,
        data={"solution": solution.code, "parts": sorted(differing), "reason": reason.strip()},
    )
    notify(
        to=[solution.owner] if solution.owner and solution.owner.is_active else leads(),
        kind="library.change_request.opened",
        say=lambda: Message(
            title=_("A change to “%(solution)s” waits for you") % {"solution": solution.display_title},
            body=reason.strip(),
        ),
        url=reverse("library:change-request", args=[request.pk]),
        at=at,
    )
    return request


@transaction.atomic
def accept_request(*, request: ChangeRequest, decision: str = "", at: datetime, actor: User) -> ChangeRequest:
    """The asked-for words become a new version that credits who asked. Raises RequestDecided."""
    request = _open(request)
    solution = request.solution
    version = newest_version(solution)
    assert version is not None
    if request.language == MAIN_LANGUAGE:
        text, translations = replace(version.text, **request.changes), {}
    else:
        text = None
        translations = {request.language: replace(current_text(version, request.language), **request.changes)}
    revise_solution(
        solution=solution,
        text=text,
        translations=translations,
        note=request.reason,
        author=request.author,
        actor=actor,
    )
    request.result = newest_version(solution)
    _decide(request, ChangeRequest.State.ACCEPTED, decision, at=at, actor=actor)
    tell_watchers(solution=solution, what="revised", at=at, actor=request.author)
    return request


@transaction.atomic
def decline_request(*, request: ChangeRequest, decision: str, at: datetime, actor: User) -> ChangeRequest:
    """Raises RequestDecided, or RequestNotUsable without a reason."""
    request = _open(request)
    if not decision.strip():
        raise RequestNotUsable(_("Say why, so that the author can learn from it."), field="decision")
    _decide(request, ChangeRequest.State.DECLINED, decision, at=at, actor=actor)
    return request


def _open(request: ChangeRequest) -> ChangeRequest:
    locked(request.solution)
    rows = ChangeRequest.objects.select_for_update(of=("self",)).select_related("solution", "author", "version")
    request = rows.get(pk=request.pk)
    if request.state != ChangeRequest.State.OPEN:
        raise RequestDecided(_("Somebody decided on this change already."))
    return request


def _decide(
    request: ChangeRequest, state: ChangeRequest.State, decision: str, *, at: datetime, actor: User
) -> None:
    request.state, request.decision = state, decision.strip()
    request.decided_at, request.decided_by = at, actor
    request.save(update_fields=["state", "decision", "decided_at", "decided_by", "result"])
    record(
        event=f"library.change_request.{state.value}",
        actor=actor,
        subject=request,
        data={"solution": request.solution.code, "decision": decision.strip()},
    )
    is_accepted = state == ChangeRequest.State.ACCEPTED

    def say() -> Message:
        words = (
            _("Your change to “%(solution)s” was taken over")
            if is_accepted
            else _("Your change to “%(solution)s” was not taken over")
        )
        body = decision.strip() or _("The new version names you as its author. Thank you.")
        return Message(title=words % {"solution": request.solution.display_title}, body=body)

    notify(
        to=[request.author],
        kind=f"library.change_request.{state.value}",
        say=say,
        url=reverse("library:change-request", args=[request.pk]),
        at=at,
    )


def current_text(version: SolutionVersion, language: str) -> RecipeText:
    """A version's words in one language, empty where that language has none; translations are prefetched."""
    if language == MAIN_LANGUAGE:
        return version.text
    return next((one.text for one in version.translations.all() if one.language == language), RecipeText())
