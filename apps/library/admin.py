"""Support pages for solutions and their texts."""

from django.contrib import admin

from apps.core.support import ReadOnlyAdmin, ReadOnlyInline
from apps.library.models import Solution, SolutionLink, SolutionVersion


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
