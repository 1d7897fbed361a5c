"""Support pages for what people were told and the mails on their way."""

from django.contrib import admin

from apps.core.support import ReadOnlyAdmin
from apps.notifications.models import Conversation, Letter, Mail, Notification, Preference, ResultsSeen


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "user", "kind", "title", "read_at")
    list_filter = ("topic",)
    search_fields = ("user__email", "kind", "title")
    list_select_related = ("user",)
    ordering = ("-id",)


@admin.register(Preference)
class PreferenceAdmin(ReadOnlyAdmin):
    list_display = ("user", "topic", "delivery", "is_automatic", "changed_at")
    list_filter = ("topic", "delivery", "is_automatic")
    search_fields = ("user__email",)
    list_select_related = ("user",)
    ordering = ("-id",)


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "email", "subject", "state", "attempt_count", "next_try_at", "sent_at")
    list_filter = ("state", "topic", "language")
    search_fields = ("email", "subject", "message_id")
    ordering = ("-id",)
    exclude = ("html", "chart")


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin):
    list_display = ("week", "user", "nudge", "created_at")
    list_filter = ("nudge",)
    search_fields = ("user__email",)
    list_select_related = ("user",)
    ordering = ("-id",)


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    list_display = ("unit", "starts_on", "ends_on", "opened_by")
    search_fields = ("unit__code", "unit__name")
    list_select_related = ("unit", "opened_by")
    ordering = ("-id",)


@admin.register(ResultsSeen)
class ResultsSeenAdmin(ReadOnlyAdmin):
    list_display = ("user", "unit", "seen_at")
    search_fields = ("user__email", "unit__code")
    list_select_related = ("user", "unit")
    ordering = ("-id",)
