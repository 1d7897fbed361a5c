"""Support pages for solutions and their texts."""

from django.contrib import admin

from apps.core.support import ReadOnlyAdmin, ReadOnlyInline
from apps.library.models import (
    ChangeRequest,
    Learning,
    LearningUse,
    Playbook,
    PlaybookSolution,
    Solution,
    SolutionAlias,
    SolutionFile,
    SolutionLink,
    SolutionVersion,
    UnmappedSolution,
    VersionTranslation,
    Watch,
    WebLink,
)


class VersionInline(ReadOnlyInline):
    model = SolutionVersion
    ordering = ("-number",)


class LinkInline(ReadOnlyInline):
    model = SolutionLink


class WebLinkInline(ReadOnlyInline):
    model = WebLink


class FileInline(ReadOnlyInline):
    model = SolutionFile


class WatchInline(ReadOnlyInline):
    model = Watch


class UseInline(ReadOnlyInline):
    model = LearningUse


class StepInline(ReadOnlyInline):
    model = PlaybookSolution


@admin.register(Solution)
class SolutionAdmin(ReadOnlyAdmin):
    list_display = ("code", "title", "kind", "cost", "status", "origin", "updated_at")
    list_filter = ("kind", "status", "origin")
    search_fields = ("code", "title", "title_fr", "external_ref")
    ordering = ("code",)
    inlines = (VersionInline, LinkInline, WebLinkInline, FileInline, WatchInline)


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


@admin.register(VersionTranslation)
class VersionTranslationAdmin(ReadOnlyAdmin):
    list_display = ("version", "language", "title")
    search_fields = ("title", "version__solution__code")
    ordering = ("-pk",)
    list_select_related = ("version",)


@admin.register(Playbook)
class PlaybookAdmin(ReadOnlyAdmin):
    list_display = ("code", "title", "status", "updated_at")
    list_filter = ("status",)
    search_fields = ("code", "title", "title_fr")
    ordering = ("code",)
    inlines = (StepInline,)


@admin.register(ChangeRequest)
class ChangeRequestAdmin(ReadOnlyAdmin):
    list_display = ("solution", "author", "state", "created_at")
    list_filter = ("state",)
    search_fields = ("solution__code", "reason")
    ordering = ("-pk",)
    list_select_related = ("solution", "author")


@admin.register(Learning)
class LearningAdmin(ReadOnlyAdmin):
    list_display = ("solution", "statement", "state", "origin")
    list_filter = ("state", "origin")
    search_fields = ("solution__code", "statement")
    ordering = ("-pk",)
    list_select_related = ("solution",)
    inlines = (UseInline,)
