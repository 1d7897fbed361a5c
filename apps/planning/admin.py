"""Support pages for plans, actions and events."""

from django.contrib import admin

from apps.core.support import ReadOnlyAdmin, ReadOnlyInline
from apps.planning.models import Action, ActionSolution, Event, Plan


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    list_display = ("id", "challenge", "target_metric", "owner", "created_at")
    list_select_related = ("challenge", "target_metric", "owner")
    search_fields = ("challenge__code", "challenge__name", "owner__email")
    ordering = ("-id",)


class ActionSolutionInline(ReadOnlyInline):
    model = ActionSolution


@admin.register(Action)
class ActionAdmin(ReadOnlyAdmin):
    list_display = ("external_id", "unit", "challenge", "state", "planned_on", "effective_on", "ended_on", "owner")
    list_filter = ("state",)
    list_select_related = ("unit", "challenge", "owner")
    search_fields = ("external_id", "unit__code", "challenge__code", "owner__email")
    ordering = ("-id",)
    inlines = (ActionSolutionInline,)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "unit", "starts_on", "ends_on")
    list_filter = ("kind",)
    list_select_related = ("unit",)
    search_fields = ("name", "unit__code")
    ordering = ("-starts_on", "id")
