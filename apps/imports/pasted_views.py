"""The page on which many past actions are noted at once."""

import io

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.core.blocks import FileRefused
from apps.core.errors import CxplanError
from apps.imports.pasted import Noted, note_actions
from apps.imports.pasted_forms import PastedForm


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def note_many(request: PersonRequest) -> HttpResponse:
    is_sent = request.method == "POST"
    form = PastedForm(request.POST or None, request.FILES or None) if is_sent else PastedForm()
    noted: Noted | None = None
    is_preview = request.POST.get("then") != "store"
    if is_sent and form.is_valid():
        try:
            noted = note_actions(
                file=io.BytesIO(form.cleaned_data["content"]),
                name=form.cleaned_data["name"],
                scope=request.person.scope(Role.MANAGER),
                day=timezone.localdate(),
                is_preview=is_preview,
                actor=request.user,
            )
        except CxplanError as error:
            message = f"{error.message} {error.remedy}" if isinstance(error, FileRefused) else error.message
            form.add_error("file" if form.cleaned_data["file"] else "table", message)
    if noted is not None and not is_preview:
        stored = noted.accepted + noted.corrected
        messages.success(
            request,
            ngettext("%(count)s action is noted.", "%(count)s actions are noted.", stored) % {"count": stored},
        )
        form = PastedForm(initial={"table": noted.refused_text})
    status = 422 if form.is_bound and form.errors else 200
    context = {"form": form, "noted": noted, "is_preview": is_preview}
    return render(request, "imports/note_many.html", context, status=status)
