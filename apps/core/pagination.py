"""Pages of API lists that stay right while rows come and go."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import F, Q
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.filters import OrderingFilter, OrderTerm

PAGE_SIZE, PAGE_SIZE_MAX = 50, 500


class CursorPagination(BasePagination):
    """A cursor holds the sort key of the row where a page ends, so pages neither repeat nor skip rows.

    Rows without a value come last in ascending and in descending order. The cursor is signed: nobody can
    smuggle a value of another type into a query.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        assert view is not None
        self.request = request
        self.size = self._size(request)
        asked = OrderingFilter().terms(request, view)
        tie = OrderTerm(path="pk", is_descending=bool(asked) and asked[-1].is_descending)
        self.terms = (*asked, tie)
        backwards, key = self._read_cursor(request)
        # Keys are put in order first: whole rows of a large table take ten times as long to sort.
        names = {f"_key_{index}": F(term.path) for index, term in enumerate(self.terms)}
        wanted = queryset if key is None else queryset.filter(self._beyond(key, backwards=backwards))
        ordered = wanted.annotate(**names).order_by(*self._order(backwards=backwards))
        keys = list(ordered.values_list("pk", *names)[: self.size + 1])
        has_more = len(keys) > self.size
        keys = keys[: self.size]
        if backwards:
            keys.reverse()
        self.next_key = _plain_key(keys[-1]) if keys and (has_more or backwards) else None
        self.previous_key = _plain_key(keys[0]) if keys and (has_more if backwards else key is not None) else None
        found = {row.pk: row for row in queryset.filter(pk__in=[pk for pk, *_key in keys])} if keys else {}
        return [found[pk] for pk, *_key in keys if pk in found]

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "next": self._link(self.next_key, backwards=False),
                "previous": self._link(self.previous_key, backwards=True),
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where the page begins, as found in `next` and `previous`.",
                "schema": {"type": "string"},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": "Rows in a page.",
                "schema": {"type": "integer", "minimum": 1, "maximum": PAGE_SIZE_MAX},
            },
        ]

    def _size(self, request: Request) -> int:
        asked = request.query_params.get("page_size")
        if asked is None:
            return PAGE_SIZE
        if not (asked.isascii() and asked.isdigit() and len(asked) <= 4 and 1 <= int(asked) <= PAGE_SIZE_MAX):
            message = _("The size of a page is a number from 1 to %(most)d.") % {"most": PAGE_SIZE_MAX}
            raise ValidationError({"page_size": [message]})
        return int(asked)

    def _salt(self) -> str:
        # A cursor of another list or another order would point nowhere.
        order = ",".join(("-" if term.is_descending else "") + term.path for term in self.terms)
        return f"cursor:{self.request.path}:{order}"

    def _read_cursor(self, request: Request) -> tuple[bool, list[Any] | None]:
        cursor = request.query_params.get("cursor")
        if not cursor:
            return False, None
        try:
            backwards, key = signing.loads(cursor, salt=self._salt())
        except signing.BadSignature as error:
            message = _("This cursor doesn't belong to this list and order. Start again without it.")
            raise ValidationError({"cursor": [message]}, code="invalid_cursor") from error
        return backwards, key

    def _link(self, key: Sequence[Any] | None, *, backwards: bool) -> str | None:
        if key is None:
            return None
        parameters = self.request.query_params.copy()
        parameters["cursor"] = signing.dumps([backwards, list(key)], salt=self._salt())
        return self.request.build_absolute_uri(f"{self.request.path}?{urlencode(sorted(parameters.items()))}")

    def _order(self, *, backwards: bool) -> list[Any]:
        order = []
        for term in self.terms:
            descending = term.is_descending != backwards
            # Without NULLS on the primary key its index gives the order.
            nulls = {} if term.path == "pk" else {"nulls_first" if backwards else "nulls_last": True}
            column = F(term.path)
            order.append(column.desc(**nulls) if descending else column.asc(**nulls))
        return order

    def _beyond(self, key: Sequence[Any], *, backwards: bool) -> Q:
        """Rows that follow the one with this key (precede it, backwards)."""
        beyond = Q(pk__in=[])
        equal = Q()
        for term, value in zip(self.terms, key, strict=True):
            step = _past(term, value, backwards=backwards)
            if step is not None:
                beyond |= equal & step
            equal &= Q(**{f"{term.path}__isnull": True}) if value is None else Q(**{term.path: value})
        return beyond


def _past(term: OrderTerm, value: Any, *, backwards: bool) -> Q | None:
    """The condition of lying past `value` in one column, or None when nothing does."""
    if value is None:
        return Q(**{f"{term.path}__isnull": False}) if backwards else None
    lookup = "lt" if term.is_descending != backwards else "gt"
    past = Q(**{f"{term.path}__{lookup}": value})
    if term.path == "pk" or backwards:
        return past
    return past | Q(**{f"{term.path}__isnull": True})


def _plain_key(row: Sequence[Any]) -> list[Any]:
    _pk, *key = row
    return [_plain(value) for value in key]


def _plain(value: Any) -> Any:
    """As JSON keeps it without loss; a time of day keeps its microseconds."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
