"""The pages on which files come in and show what became of them."""

from django.core.paginator import Paginator
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.core.errors import CxplanError
from apps.imports import tasks
from apps.imports.forms import ImportForm
from apps.imports.models import ImportBatch
from apps.imports.selectors import importable_kinds, standing_of
from apps.imports.services import receive_import

PAGE = 25


@require_safe
@require_role(Role.LEAD)
def batch_list(request: PersonRequest) -> HttpResponse:
    batches = ImportBatch.objects.visible_to(request.person).select_related("actor").order_by("-pk")
    page = Paginator(batches, PAGE).get_page(request.GET.get("page"))
    return render(request, "imports/batch_list.html", {"page": page, "standings": map(standing_of, page)})


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def batch_new(request: PersonRequest) -> HttpResponse:
    if not importable_kinds(request.person):
        raise Http404
    form = ImportForm(request.POST or None, request.FILES or None, person=request.person)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            with transaction.atomic():
                batch = receive_import(
                    **{
                        name: values[name]
                        for name in ("kind", "file", "source", "mapping", "is_strict", "is_dry_run")
                    },
                    file_name=values["file"].name,
                    actor=request.user,
                )
                # Robust: without a broker the beat's next round imports the file.
                transaction.on_commit(lambda: tasks.run.delay(batch_id=batch.pk), robust=True)
            return redirect("imports:batch", batch.pk)
        except CxplanError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    status = 422 if form.is_bound else 200
    return render(request, "imports/batch_new.html", {"form": form}, status=status)


@require_safe
@require_role(Role.LEAD)
def batch(request: PersonRequest, batch_id: int) -> HttpResponse:
    one = get_object_or_404(ImportBatch.objects.visible_to(request.person).select_related("actor"), pk=batch_id)
    template = "imports/_batch.html" if request.htmx else "imports/batch.html"  # type: ignore[attr-defined]  # set by HtmxMiddleware
    return render(request, template, {"batch": one, "standing": standing_of(one)})


@require_safe
@require_role(Role.LEAD)
def batch_rejects(request: PersonRequest, batch_id: int) -> FileResponse:
    one = get_object_or_404(ImportBatch.objects.visible_to(request.person), pk=batch_id)
    if not one.rejects:
        raise Http404
    return FileResponse(one.rejects.open("rb"), as_attachment=True)
