"""Support pages for look-alikes."""

from django.contrib import admin

from apps.core.support import ReadOnlyAdmin
from apps.curation.models import LookAlike


@admin.register(LookAlike)
class LookAlikeAdmin(ReadOnlyAdmin):
    list_display = ("kind", "solution", "other_solution", "idea", "other_idea", "likeness", "state")
    list_filter = ("kind", "state")
    search_fields = ("solution__code", "other_solution__code", "idea__title", "other_idea__title")
    ordering = ("-likeness", "pk")
    list_select_related = ("solution", "other_solution", "idea", "other_idea")
