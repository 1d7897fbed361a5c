"""Support pages for files that came in."""

from django.contrib import admin

from apps.core.support import ReadOnlyAdmin
from apps.imports.models import ImportBatch


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "file_name", "state", "row_count", "rejected_count", "actor", "created_at")
    list_filter = ("state", "kind")
    list_select_related = ("actor",)
    search_fields = ("file_name", "source", "actor__email")
    ordering = ("-id",)
