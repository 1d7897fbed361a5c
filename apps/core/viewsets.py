"""What every collection of the REST API has in common."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from django.db.models.functions import Lower
from django.http import Http404
from rest_framework import mixins
from rest_framework.viewsets import GenericViewSet

# Codes are ASCII, so a path can't carry a NUL character or a broken sequence to the database.
CODE_IN_PATH = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
ID_IN_PATH = "[0-9]{1,18}"

M = TypeVar("M", bound=Model)


class Collection(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[M]):
    """A list and its rows; a subclass says how to reach them within the caller's scope in `get_queryset`."""

    metadata_class = None
    lookup_field = "id"
    lookup_value_regex = ID_IN_PATH
    # Public name → column, for ?ordering=.
    ordering_fields: ClassVar[Mapping[str, str]] = {}
    ordering: ClassVar[tuple[str, ...]] = ()
    search_fields: ClassVar[tuple[str, ...]] = ()

    def get_object(self) -> M:
        """The row of the address; filters are for lists only."""
        row = self.rows_at_address().first()
        if row is None:
            raise Http404
        self.check_object_permissions(self.request, row)
        return row

    def rows_at_address(self) -> QuerySet[M]:
        return self.get_queryset().filter(**{self.lookup_field: self.kwargs[self.lookup_field]})


class CodedCollection(Collection[M]):
    """A collection whose rows are found by their code, whatever its case."""

    lookup_field = "code"
    lookup_value_regex = CODE_IN_PATH

    def rows_at_address(self) -> QuerySet[M]:
        value = str(self.kwargs[self.lookup_field]).lower()
        lowered: Any = self.get_queryset().alias(lowered_code=Lower(self.lookup_field))
        rows: QuerySet[M] = lowered.filter(lowered_code=value)
        return rows
