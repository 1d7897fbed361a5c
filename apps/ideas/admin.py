"""Support pages for ideas and calls; nothing there leads to an anonymous author."""

from django.contrib import admin

from apps.core.support import ReadOnlyAdmin, ReadOnlyInline
from apps.ideas.models import Call, Comment, Escalation, Idea, Pilot, Report, Vote


class CommentInline(ReadOnlyInline):
    model = Comment


class PilotInline(ReadOnlyInline):
    model = Pilot


class EscalationInline(ReadOnlyInline):
    model = Escalation


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    list_display = ("title", "challenge", "unit", "opens_on", "closes_on", "closed_at", "owner")
    list_select_related = ("challenge", "unit", "owner")
    search_fields = ("title", "title_fr", "challenge__code")
    ordering = ("-id",)


@admin.register(Idea)
class IdeaAdmin(ReadOnlyAdmin):
    list_display = ("id", "title", "state", "unit", "challenge", "author", "vote_count", "due_at")
    list_filter = ("state",)
    list_select_related = ("unit", "challenge", "author")
    search_fields = ("title", "text", "unit__code")
    exclude = ("author_key",)
    ordering = ("-id",)
    inlines = (CommentInline, PilotInline, EscalationInline)


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "comment", "user", "resolved_at")
    list_select_related = ("comment", "user")
    search_fields = ("comment__text", "user__email")
    ordering = ("-id",)


@admin.register(Vote)
class VoteAdmin(ReadOnlyAdmin):
    list_display = ("idea", "user", "created_at")
    list_select_related = ("idea", "user")
    search_fields = ("idea__title", "user__email")
    ordering = ("-id",)
