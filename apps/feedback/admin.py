"""Support pages for responses and the weekly cells made of them."""

from django.contrib import admin

from apps.core.support import ReadOnlyAdmin, ReadOnlyInline
from apps.feedback.models import Cell, Response, ResponseChallenge, ResponseLabel, Score, Series, Source


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    list_display = ("code",)
    search_fields = ("code",)
    ordering = ("code",)


class ScoreInline(ReadOnlyInline):
    model = Score
    fields = ("metric", "value")


class LabelInline(ReadOnlyInline):
    model = ResponseLabel


class CodingInline(ReadOnlyInline):
    model = ResponseChallenge


@admin.register(Response)
class ResponseAdmin(ReadOnlyAdmin):
    list_display = ("external_id", "source", "unit", "occurred_at", "channel", "language")
    list_select_related = ("source", "unit")
    # Exact: anything else would read the whole table.
    search_fields = ("external_id__exact",)
    ordering = ("-id",)
    exclude = ("customer_digest",)
    inlines = (ScoreInline, LabelInline, CodingInline)


@admin.register(Series)
class SeriesAdmin(ReadOnlyAdmin):
    list_display = ("unit", "metric", "revision")
    list_select_related = ("unit", "metric")
    search_fields = ("unit__code__iexact", "metric__code__iexact")
    ordering = ("-id",)


@admin.register(Cell)
class CellAdmin(ReadOnlyAdmin):
    list_display = ("unit", "metric", "week", "n", "mean", "m2")
    list_select_related = ("unit", "metric")
    search_fields = ("unit__code__iexact", "metric__code__iexact")
    ordering = ("-id",)
