"""The search over the API: the same question, the same answer as on the page."""

from typing import Any

from django.http import QueryDict
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from apps.accounts.models import Role
from apps.accounts.permissions import person_of_request
from apps.search.choices import COSTS, EVIDENCE, LANGUAGES, ORDERS, WHATS
from apps.search.forms import question_of
from apps.search.selectors import find


class HitSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    note = serializers.CharField(help_text="kind, touchpoint or state in words")
    url = serializers.CharField(help_text="address of its page")


class SectionSerializer(serializers.Serializer[Any]):
    what = serializers.ChoiceField(choices=[what for what, _label in WHATS])
    total = serializers.IntegerField()
    without = serializers.ListField(
        child=serializers.CharField(), help_text="words left out, because nothing found has them beside the others"
    )
    hits = HitSerializer(many=True)


class FacetValueSerializer(serializers.Serializer[Any]):
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of this name, not the field's own label
    count = serializers.IntegerField()


class FacetSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    values = FacetValueSerializer(many=True)


class FoundSerializer(serializers.Serializer[Any]):
    """What was found by kind; facets are counted when one kind is asked for."""

    sections = SectionSerializer(many=True)
    facets = FacetSerializer(many=True)


def _choice(name: str, choices: Any) -> OpenApiParameter:
    return OpenApiParameter(name, str, enum=[str(value) for value, _label in choices if value])


class SearchViewSet(ViewSet):
    """Challenges, solutions and ideas that answer a few words, best first; 20 a page when one kind is asked."""

    read_role = Role.STAFF
    metadata_class = None

    @extend_schema(
        responses=forced_singular_serializer(FoundSerializer),  # type: ignore[no-untyped-call]  # has no types
        parameters=[
            OpenApiParameter("q", str, description="words, in English or French, typos forgiven"),
            _choice("what", WHATS),
            OpenApiParameter("challenge", str, description="a code; all below it count too"),
            OpenApiParameter("touchpoint", str, description="a code"),
            OpenApiParameter("kind", str, description="kind of solution"),
            _choice("evidence", EVIDENCE),
            OpenApiParameter("verdict", str),
            _choice("cost", COSTS),
            OpenApiParameter("unit_kind", str, description="kind of unit it was measured in"),
            _choice("language", LANGUAGES),
            OpenApiParameter("status", str, description="other than published for leads only"),
            OpenApiParameter("state", str, description="state of an idea"),
            _choice("order", ORDERS),
            OpenApiParameter("page", int),
        ],
    )
    def list(self, request: Request) -> Response:
        """What makes no sense in the question is left out, as if it had not been asked."""
        given: QueryDict = request.query_params
        found = find(question_of(given), person=person_of_request(request))
        return Response(FoundSerializer(found).data)
