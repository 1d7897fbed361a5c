"""Fields and input of the API: references by code, and nothing taken that is not understood."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


class CodeField(serializers.CharField):
    """A reference, shown as the code of what it points to."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Any) -> str:
        return str(value.code)


@extend_schema_field(OpenApiTypes.STR)
class ReferenceField(serializers.Field[Any, Any, str, Any]):
    """A code, whatever its case, turned into the row it names among those that the caller may use."""

    default_error_messages = {
        "unknown_code": _("There is nothing with the code “{code}” here. Check its spelling, or import it first."),
    }

    def __init__(self, *, queryset: "QuerySet[Any] | None" = None, **options: Any) -> None:
        self.queryset = queryset
        super().__init__(**options)

    def rows(self) -> "QuerySet[Any]":
        assert self.queryset is not None
        return self.queryset.all()

    def to_internal_value(self, data: Any) -> Model:
        code = serializers.CharField(max_length=64).run_validation(data)
        row: Model | None = self.rows().alias(lowered=Lower("code")).filter(lowered=code.lower()).first()
        if row is None:
            self.fail("unknown_code", code=code)
        return row


class InputSerializer(serializers.Serializer[Any]):
    """A field that is not declared is an error: a misspelt one must not be lost in silence."""

    default_error_messages = {
        "unknown_field": _("There is no such field. Fields are: {names}."),
    }

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            message = self.error_messages["unknown_field"].format(names=", ".join(self.fields))
            raise serializers.ValidationError({name: [message] for name in unknown}, code="unknown_field")
        return values
