"""Ordering and search of API lists."""

from rest_framework import filters


class OrderingFilter(filters.OrderingFilter):
    ordering_param = "ordering"


class SearchFilter(filters.SearchFilter):
    search_param = "q"
