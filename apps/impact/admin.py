"""Support pages for measurements and what they found."""

from django.contrib import admin

from apps.core.support import ReadOnlyAdmin
from apps.impact.models import (
    ActionClaim,
    Basis,
    Chunk,
    Effect,
    Portion,
    RankedSolution,
    Reading,
    Run,
    SideEffect,
    SolutionClaim,
    Told,
)


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ("id", "metric", "state", "as_of", "method", "action_count", "estimated_count", "finished_at")
    list_filter = ("state", "method")
    list_select_related = ("metric",)
    search_fields = ("metric__code", "reason", "error")
    ordering = ("-id",)


@admin.register(Effect)
class EffectAdmin(ReadOnlyAdmin):
    list_display = ("action", "metric", "role", "status", "reason", "effect", "low", "high", "quality", "as_of")
    list_filter = ("status", "role")
    list_select_related = ("action", "metric")
    search_fields = ("action__external_id", "metric__code", "reason")
    ordering = ("-id",)


@admin.register(SideEffect)
class SideEffectAdmin(ReadOnlyAdmin):
    list_display = ("solution", "metric", "effect", "low", "high", "p_harm", "action_count")
    list_select_related = ("solution", "metric")
    search_fields = ("solution__code", "metric__code")
    ordering = ("-id",)


@admin.register(RankedSolution)
class RankedSolutionAdmin(ReadOnlyAdmin):
    list_display = (
        "challenge",
        "solution",
        "context",
        "rank",
        "tier",
        "effect",
        "low",
        "high",
        "verdict",
        "as_of",
    )
    list_filter = ("verdict",)
    list_select_related = ("challenge", "solution")
    search_fields = ("challenge__code", "solution__code")
    ordering = ("challenge", "context", "rank")


@admin.register(SolutionClaim)
class SolutionClaimAdmin(ReadOnlyAdmin):
    list_display = ("solution", "metric", "as_of", "verdict", "effect", "low", "high", "made_at")
    list_filter = ("verdict",)
    list_select_related = ("solution", "metric")
    search_fields = ("solution__code", "metric__code")
    ordering = ("-id",)


@admin.register(ActionClaim)
class ActionClaimAdmin(ReadOnlyAdmin):
    list_display = ("action", "metric", "as_of", "verdict", "p_positive", "effect", "low", "high", "made_at")
    list_filter = ("verdict",)
    list_select_related = ("action", "metric")
    search_fields = ("action__external_id", "metric__code")
    ordering = ("-id",)


@admin.register(Basis)
class BasisAdmin(ReadOnlyAdmin):
    list_display = ("metric", "month", "unit_count", "action_count", "fitted_at")
    list_select_related = ("metric",)
    search_fields = ("metric__code",)
    ordering = ("metric",)


@admin.register(Chunk)
class ChunkAdmin(ReadOnlyAdmin):
    list_display = ("run", "step", "number", "done_at", "error")
    list_filter = ("step",)
    list_select_related = ("run",)
    search_fields = ("run__metric__code", "error")
    ordering = ("-id",)
    exclude = ("inputs", "result")


@admin.register(Portion)
class PortionAdmin(ReadOnlyAdmin):
    list_display = ("run", "part", "number")
    list_filter = ("part",)
    list_select_related = ("run",)
    search_fields = ("run__metric__code",)
    ordering = ("-id",)
    exclude = ("body",)


@admin.register(Reading)
class ReadingAdmin(ReadOnlyAdmin):
    list_display = ("action", "verdict", "state", "author", "written_at")
    search_fields = ("action__external_id", "text")
    ordering = ("-pk",)
    list_select_related = ("action", "author")


@admin.register(Told)
class ToldAdmin(ReadOnlyAdmin):
    list_display = ("action", "solution", "verdict", "told_at")
    search_fields = ("action__external_id", "solution__code")
    ordering = ("-pk",)
    list_select_related = ("action", "solution")
