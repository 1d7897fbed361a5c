"""Support pages for the shared vocabulary."""

from django.contrib import admin

from apps.core.support import ReadOnlyAdmin, ReadOnlyInline
from apps.taxonomy.models import (
    Acceptance,
    Alias,
    Challenge,
    Journey,
    JourneyVersion,
    Metric,
    Touchpoint,
    TouchpointPlace,
    UnmappedLabel,
)


class TouchpointInline(ReadOnlyInline):
    model = Touchpoint
    ordering = ("position",)


@admin.register(Journey)
class JourneyAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "name_fr")
    search_fields = ("code", "name", "name_fr")
    ordering = ("code",)
    inlines = (TouchpointInline,)


@admin.register(Touchpoint)
class TouchpointAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "journey", "position")
    list_filter = ("journey",)
    list_select_related = ("journey",)
    search_fields = ("code", "name", "name_fr")
    ordering = ("journey", "position")


@admin.register(Metric)
class MetricAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "kind", "better", "scoring", "touchpoint", "is_overall")
    list_filter = ("kind", "better", "scoring", "is_overall")
    list_select_related = ("touchpoint",)
    search_fields = ("code", "name", "name_fr")
    ordering = ("code",)


class AliasInline(ReadOnlyInline):
    model = Alias


@admin.register(Challenge)
class ChallengeAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "parent", "touchpoint", "metric", "severity", "retired_on")
    list_filter = ("severity",)
    list_select_related = ("parent", "touchpoint", "metric")
    search_fields = ("code", "name", "name_fr", "aliases__label")
    ordering = ("code",)
    inlines = (AliasInline,)


@admin.register(Alias)
class AliasAdmin(ReadOnlyAdmin):
    list_display = ("source", "label", "challenge")
    list_select_related = ("challenge",)
    search_fields = ("source", "label", "challenge__code")
    ordering = ("source", "label")


class PlaceInline(ReadOnlyInline):
    model = TouchpointPlace


@admin.register(JourneyVersion)
class JourneyVersionAdmin(ReadOnlyAdmin):
    list_display = ("pk", "journey")
    search_fields = ("journey__code",)
    ordering = ("-pk",)
    list_select_related = ("journey",)
    inlines = (PlaceInline,)


@admin.register(UnmappedLabel)
class UnmappedLabelAdmin(ReadOnlyAdmin):
    list_display = ("source", "label", "response_count", "rejected_count", "is_ignored")
    search_fields = ("source", "label")
    ordering = ("-pk",)


@admin.register(Acceptance)
class AcceptanceAdmin(ReadOnlyAdmin):
    list_display = ("asked_at", "asked_by", "least", "label_count", "seen_count", "mapped_count", "finished_at")
    list_select_related = ("asked_by",)
    search_fields = ("asked_by__email",)
    ordering = ("-pk",)
