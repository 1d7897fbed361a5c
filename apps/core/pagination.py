"""Pages of API lists."""

from rest_framework import pagination


class CursorPagination(pagination.CursorPagination):
    """A cursor stays right while rows are added; `?page_size=` up to 500."""

    ordering = "id"
    page_size_query_param = "page_size"
    max_page_size = 500
