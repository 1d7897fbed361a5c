"""Which rows an API list shows, and in which order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import django_filters
from django.db.models import Model, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import filters
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

# Parameters that no filter claims but every list understands.
COMMON_PARAMETERS = frozenset({"cursor", "page_size", "ordering", "q"})
CODES_AT_MOST = 200


class CodeFilter(django_filters.CharFilter):  # type: ignore[misc]  # django-filter has no types
    """Equal to a code, whatever its case; several codes separated by commas mean any of them."""

    def filter(self, queryset: QuerySet[Model], value: str) -> QuerySet[Model]:
        codes = codes_of(value)
        if not codes:
            return queryset
        lowered = "lower_" + self.field_name.replace("__", "_")
        matching: QuerySet[Model] = queryset.alias(**{lowered: Lower(self.field_name)}).filter(
            **{f"{lowered}__in": codes}
        )
        if not self.distinct:
            return matching
        # Through a relation to many a row would come once per match.
        return queryset.filter(pk__in=matching.order_by().values("pk"))


def codes_of(value: str) -> list[str]:
    """The codes of a parameter in lower case; raises ValidationError when they are too many."""
    codes = [code.strip().lower() for code in value.split(",") if code.strip()] if value else []
    if len(codes) > CODES_AT_MOST:
        message = _("Ask for at most %(count)d codes at once.") % {"count": CODES_AT_MOST}
        raise ValidationError([message], code="too_many_codes")
    return codes


class FilterSet(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Filters of one list, declared by the names its rows use."""


class FieldFilter(DjangoFilterBackend):  # type: ignore[misc]  # django-filter has no types
    """A parameter that means nothing is an error: a misspelt filter must not return everything."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Model], view: APIView) -> QuerySet[Model]:
        known = COMMON_PARAMETERS | set(self._filters(view))
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            message = _("This list has no such parameter. It understands: %(names)s.")
            raise ValidationError(
                {name: [message % {"names": ", ".join(sorted(known))}] for name in unknown},
                code="unknown_parameter",
            )
        filtered: QuerySet[Model] = super().filter_queryset(request, queryset, view)
        return filtered

    def _filters(self, view: APIView) -> Mapping[str, Any]:
        filterset_class = getattr(view, "filterset_class", None)
        filters: Mapping[str, Any] = filterset_class.base_filters if filterset_class else {}
        return filters


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTerm:
    """One key of the order of a list; `path` leads to the column."""

    path: str
    is_descending: bool


class OrderingFilter(filters.BaseFilterBackend):
    """`?ordering=unit,-effective_on` by the names that rows use; the page puts it into effect.

    A view's `ordering_fields` maps each name to its column, `ordering` is the order when none is asked for.
    """

    def terms(self, request: Request, view: APIView) -> tuple[OrderTerm, ...]:
        columns: Mapping[str, str] = getattr(view, "ordering_fields", {})
        asked = request.query_params.get("ordering", "")
        names = [name.strip() for name in asked.split(",") if name.strip()] or list(getattr(view, "ordering", ()))
        unknown = [name for name in names if name.removeprefix("-") not in columns]
        if unknown:
            message = _("Can't order by %(name)s. Use one or more of %(names)s, with a minus sign for descending.")
            raise ValidationError(
                {"ordering": [message % {"name": unknown[0], "names": ", ".join(columns)}]}, code="unknown_field"
            )
        return tuple(
            OrderTerm(path=columns[name.removeprefix("-")], is_descending=name.startswith("-")) for name in names
        )

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        return queryset

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = [sign + name for name in getattr(view, "ordering_fields", {}) for sign in ("", "-")]
        if not names:
            return []
        return [
            {
                "name": "ordering",
                "in": "query",
                "required": False,
                "description": "Fields to order by, separated by commas; a minus sign descends.",
                "schema": {"type": "array", "items": {"type": "string", "enum": names}},
                "style": "form",
                "explode": False,
            }
        ]


class SearchFilter(filters.UnaccentedSearchFilter):
    """`?q=` finds every word in the view's `search_fields`, whatever its case and accents."""

    search_param = "q"
    search_description = "Words to find, whatever their case and accents."

    def get_search_fields(self, view: APIView, request: Request) -> Any:
        fields = super().get_search_fields(view, request)
        if request.query_params.get("q") and not fields:
            raise ValidationError({"q": [_("This list can't be searched.")]}, code="unknown_parameter")
        return fields

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return super().get_schema_operation_parameters(view) if getattr(view, "search_fields", None) else []
