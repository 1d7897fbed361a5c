"""Pages and buttons that follow an action: tasks, check-ins, proofs, and what was left alone."""

from collections.abc import Callable

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.core.uploads import send_upload
from apps.planning.ageing import let_go, put_off, put_off_task
from apps.planning.follow import followed
from apps.planning.follow_forms import CheckInForm, ProofForm, TaskForm
from apps.planning.following import add_proof, check_in, remove_proof
from apps.planning.models import Action, Proof, Task
from apps.planning.pages import (
    action_in_scope,
    back,
    decide,
    entered,
    is_fragment,
    seen_at_of,
    to_action,
    today_in,
    told,
)
from apps.planning.tasklist import add_task, change_task, finish_task, move_task, remove_task, reopen_task


@require_POST
@require_role(Role.MANAGER)
def task_add(request: PersonRequest, external_id: str) -> HttpResponse:
    action = action_in_scope(request, external_id, Role.MANAGER)
    form = TaskForm(request.POST, action=action, person=request.user)
    if form.is_valid():
        return _changed(request, action, lambda: add_task(action=action, **form.entries(), actor=request.user))
    return _tasks(request, action, form=form, status=422)


@require_POST
@require_role(Role.STAFF)
def task_done(request: PersonRequest, pk: int) -> HttpResponse:
    """Ticks the task off, or takes it up again."""
    task = _task(request, pk, Role.STAFF)
    seen_at = seen_at_of(request)
    if task.done_at is None:
        return _changed(
            request,
            task.action,
            lambda: finish_task(task=task, at=timezone.now(), actor=request.user, seen_at=seen_at),
        )
    return _changed(request, task.action, lambda: reopen_task(task=task, actor=request.user, seen_at=seen_at))


@require_POST
@require_role(Role.MANAGER)
def task_move(request: PersonRequest, pk: int) -> HttpResponse:
    """One place up, or with `by` one place down."""
    task = _task(request, pk, Role.MANAGER)
    by = 1 if request.POST.get("by") == "down" else -1
    place = list(task.action.tasks.order_by("position", "pk").values_list("pk", flat=True)).index(task.pk)
    return _changed(
        request,
        task.action,
        lambda: move_task(task=task, position=max(place + by, 0), actor=request.user, seen_at=seen_at_of(request)),
    )


@require_POST
@require_role(Role.MANAGER)
def task_put_off(request: PersonRequest, pk: int) -> HttpResponse:
    task = _task(request, pk, Role.MANAGER)
    as_of = today_in(task.action.unit)
    seen_at = seen_at_of(request)
    return _changed(
        request,
        task.action,
        lambda: put_off_task(task=task, as_of=as_of, actor=request.user, seen_at=seen_at),
    )


@require_POST
@require_role(Role.MANAGER)
def task_remove(request: PersonRequest, pk: int) -> HttpResponse:
    task = _task(request, pk, Role.MANAGER)
    seen_at = seen_at_of(request)
    return _changed(request, task.action, lambda: remove_task(task=task, actor=request.user, seen_at=seen_at))


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def task(request: PersonRequest, pk: int) -> HttpResponse:
    shown = _task(request, pk, Role.MANAGER)
    form = TaskForm(entered(request), action=shown.action, person=request.user, task=shown)
    return decide(
        request,
        form,
        lambda: change_task(
            task=shown, changes=form.changes(), actor=request.user, seen_at=form.cleaned_data["seen_at"]
        ),
        template="planning/task.html",
        context={"action": shown.action, "task": shown},
        done=_("Changed."),
        then=lambda: to_action(shown.action),
    )


@require_http_methods(["GET", "POST"])
@require_role(Role.STAFF)
def check_in_new(request: PersonRequest, external_id: str) -> HttpResponse:
    action = action_in_scope(request, external_id, Role.STAFF)
    form = CheckInForm(entered(request))
    return decide(
        request,
        form,
        lambda: check_in(action=action, **form.cleaned_data, made_on=today_in(action.unit), actor=request.user),
        template="planning/check_in.html",
        context={"action": action},
        done=_("Thank you. It is kept with the action."),
        then=lambda: to_action(action),
    )


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def proof_new(request: PersonRequest, external_id: str) -> HttpResponse:
    action = action_in_scope(request, external_id, Role.MANAGER)
    form = ProofForm(entered(request), request.FILES or None)
    return decide(
        request,
        form,
        lambda: add_proof(action=action, **form.cleaned_data, actor=request.user),
        template="planning/proof.html",
        context={"action": action},
        done=_("Kept."),
        then=lambda: to_action(action),
    )


@require_GET
@require_role(Role.STAFF)
def proof_file(request: PersonRequest, pk: int) -> FileResponse:
    proofs = Proof.objects.in_scope(request.person.scope(Role.STAFF)).exclude(file="")
    proof = get_object_or_404(proofs, pk=pk)
    return send_upload(
        proof.file, name=proof.name, content_type=proof.content_type, is_shown="shown" in request.GET
    )


@require_POST
@require_role(Role.MANAGER)
def proof_remove(request: PersonRequest, pk: int) -> HttpResponse:
    proofs = Proof.objects.in_scope(request.person.scope(Role.MANAGER)).select_related("action")
    proof = get_object_or_404(proofs, pk=pk)
    with told(request):
        remove_proof(proof=proof, actor=request.user)
        messages.success(request, _("Removed."))
    return to_action(proof.action)


@require_POST
@require_role(Role.MANAGER)
def action_put_off(request: PersonRequest, external_id: str) -> HttpResponse:
    action = action_in_scope(request, external_id, Role.MANAGER)
    with told(request):
        as_of = today_in(action.unit)
        put_off(action=action, as_of=as_of, actor=request.user, seen_at=seen_at_of(request))
        messages.success(request, _("The start has a new day."))
    return back(request, action)


@require_POST
@require_role(Role.MANAGER)
def action_let_go(request: PersonRequest, external_id: str) -> HttpResponse:
    action = action_in_scope(request, external_id, Role.MANAGER)
    is_gone = False
    with told(request):
        let_go(action=action, actor=request.user, seen_at=seen_at_of(request))
        messages.success(request, _("Let go of. It is off your list; the record of it stays."))
        is_gone = True
    return redirect("planning:action-list") if is_gone and "next" not in request.POST else back(request, action)


def _task(request: PersonRequest, pk: int, role: Role) -> Task:
    tasks = Task.objects.in_scope(request.person.scope(role)).select_related(
        "action__unit", "action__owner", "action__plan", "assignee"
    )
    found: Task = get_object_or_404(tasks, pk=pk)
    return found


def _changed(request: PersonRequest, action: Action, change: Callable[[], object]) -> HttpResponse:
    """The list as it is now, or without JavaScript the page it is on."""
    with told(request):
        change()
    return _tasks(request, action)


def _tasks(
    request: PersonRequest, action: Action, *, form: TaskForm | None = None, status: int = 200
) -> HttpResponse:
    if not is_fragment(request) and form is None:
        return to_action(action)
    manages = request.person.holds(Role.MANAGER, action.unit.path)
    context = {
        "action": action,
        "follow": followed(action, as_of=today_in(action.unit)),
        "manages": manages,
        "task_form": form or TaskForm(action=action, person=request.user),
    }
    template = "planning/_tasks.html" if is_fragment(request) else "planning/tasks.html"
    return render(request, template, context, status=status)
