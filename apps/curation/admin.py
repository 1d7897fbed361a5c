"""Support pages for look-alikes."""

from django.contrib import admin

from apps.core.support import ReadOnlyAdmin
from apps.curation.models import Compared, LookAlike, OutsideEvidence


@admin.register(LookAlike)
class LookAlikeAdmin(ReadOnlyAdmin):
    list_display = ("kind", "solution", "other_solution", "idea", "other_idea", "likeness", "state")
    list_filter = ("kind", "state")
    search_fields = ("solution__code", "other_solution__code", "idea__title", "other_idea__title")
    ordering = ("-likeness", "pk")
    list_select_related = ("solution", "other_solution", "idea", "other_idea")


@admin.register(OutsideEvidence)
class OutsideEvidenceAdmin(ReadOnlyAdmin):
    list_display = ("pack", "solution", "outcome", "effect", "low", "high")
    search_fields = ("pack", "solution__code", "outcome")
    ordering = ("-pk",)
    list_select_related = ("solution",)


@admin.register(Compared)
class ComparedAdmin(ReadOnlyAdmin):
    list_display = ("solution", "idea")
    search_fields = ("solution__code",)
    ordering = ("-pk",)
    list_select_related = ("solution", "idea")
