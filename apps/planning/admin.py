"""Support pages for plans, actions, events and the rules of planning."""

from django.contrib import admin

from apps.core.support import ReadOnlyAdmin, ReadOnlyInline
from apps.planning.dismissal import Dismissal
from apps.planning.models import (
    Action,
    ActionSolution,
    CalendarFeed,
    CheckIn,
    Draw,
    DrawnUnit,
    Event,
    Plan,
    PlanningRules,
    Proof,
    ReadyItem,
    ReadyScore,
    ReadyTick,
    Reminder,
    Task,
)


class ReadyTickInline(ReadOnlyInline):
    model = ReadyTick


class ReadyScoreInline(ReadOnlyInline):
    model = ReadyScore


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    list_display = ("id", "challenge", "target_metric", "owner", "created_at")
    list_select_related = ("challenge", "target_metric", "owner")
    search_fields = ("challenge__code", "challenge__name", "owner__email")
    ordering = ("-id",)
    inlines = (ReadyTickInline, ReadyScoreInline)


class ActionSolutionInline(ReadOnlyInline):
    model = ActionSolution


class TaskInline(ReadOnlyInline):
    model = Task


class CheckInInline(ReadOnlyInline):
    model = CheckIn


@admin.register(Action)
class ActionAdmin(ReadOnlyAdmin):
    list_display = ("external_id", "unit", "challenge", "state", "planned_on", "effective_on", "ended_on", "owner")
    list_filter = ("state",)
    list_select_related = ("unit", "challenge", "owner")
    search_fields = ("external_id", "unit__code", "challenge__code", "owner__email")
    ordering = ("-id",)
    inlines = (ActionSolutionInline, TaskInline, CheckInInline)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "unit", "starts_on", "ends_on")
    list_filter = ("kind",)
    list_select_related = ("unit",)
    search_fields = ("name", "unit__code")
    ordering = ("-starts_on", "id")


@admin.register(Proof)
class ProofAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "action", "added_by", "created_at")
    list_filter = ("kind",)
    list_select_related = ("action", "added_by")
    search_fields = ("name", "action__external_id")
    ordering = ("-id",)


@admin.register(Reminder)
class ReminderAdmin(ReadOnlyAdmin):
    list_display = ("kind", "action", "due_on", "created_at")
    list_filter = ("kind",)
    list_select_related = ("action",)
    search_fields = ("action__external_id",)
    ordering = ("-id",)


@admin.register(ReadyItem)
class ReadyItemAdmin(ReadOnlyAdmin):
    list_display = ("label", "position", "retired_at")
    search_fields = ("label", "label_fr")
    ordering = ("position", "id")


@admin.register(PlanningRules)
class PlanningRulesAdmin(ReadOnlyAdmin):
    list_display = ("focus_limit", "slip_days", "draft_days", "task_days", "updated_at")
    search_fields = ("id",)
    ordering = ("id",)


class DrawnUnitInline(ReadOnlyInline):
    model = DrawnUnit


@admin.register(Draw)
class DrawAdmin(ReadOnlyAdmin):
    list_display = ("id", "plan", "seed", "steps", "gap_weeks", "first_on", "drawn_at", "replaced_at", "reads_on")
    list_select_related = ("plan__challenge",)
    search_fields = ("plan__challenge__code",)
    ordering = ("-id",)
    inlines = (DrawnUnitInline,)


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ReadOnlyAdmin):
    list_display = ("user", "created_at")
    search_fields = ("user__email",)
    ordering = ("-pk",)
    list_select_related = ("user",)
    exclude = ("digest",)


@admin.register(Dismissal)
class DismissalAdmin(ReadOnlyAdmin):
    list_display = ("unit", "challenge", "solution", "reason", "created_at")
    search_fields = ("unit__code", "challenge__code", "solution__code")
    ordering = ("-pk",)
    list_select_related = ("unit", "challenge", "solution")
