"""Support pages for solutions and their texts."""

from django.contrib import admin

from apps.core.support import ReadOnlyAdmin, ReadOnlyInline
from apps.library.models import Solution, SolutionAlias, SolutionLink, SolutionVersion, UnmappedSolution


class VersionInline(ReadOnlyInline):
    model = SolutionVersion
    ordering = ("-number",)


class LinkInline(ReadOnlyInline):
    model = SolutionLink


@admin.register(Solution)
class SolutionAdmin(ReadOnlyAdmin):
    list_display = ("code", "title", "kind", "cost", "status", "origin", "updated_at")
    list_filter = ("kind", "status", "origin")
    search_fields = ("code", "title", "title_fr", "external_ref")
    ordering = ("code",)
    inlines = (VersionInline, LinkInline)


@admin.register(SolutionAlias)
class SolutionAliasAdmin(ReadOnlyAdmin):
    list_display = ("source", "label", "solution")
    search_fields = ("source", "label", "solution__code")
    ordering = ("source", "label")
    list_select_related = ("solution",)


@admin.register(UnmappedSolution)
class UnmappedSolutionAdmin(ReadOnlyAdmin):
    list_display = ("source", "label", "rejected_count", "is_ignored", "last_seen_at")
    search_fields = ("source", "label")
    ordering = ("-rejected_count", "pk")
