"""Support pages that show and never change: changes go through services, which leave an audit row."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class _ReadOnly:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(_ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # takes no arguments at run time
    list_per_page = 50
    # Counting millions of rows for a heading would take seconds.
    show_full_result_count = False


class ReadOnlyInline(_ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # takes no arguments at run time
    extra = 0
    can_delete = False
