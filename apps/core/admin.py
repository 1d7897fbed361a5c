"""Support page for repeated API calls."""

from django.contrib import admin

from apps.core.models import IdempotentRequest
from apps.core.support import ReadOnlyAdmin


@admin.register(IdempotentRequest)
class IdempotentRequestAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "caller", "path", "key", "status")
    search_fields = ("caller", "key", "path")
    ordering = ("-id",)
