"""What the API takes to change challenges and aliases."""

from rest_framework import serializers

from apps.core.fields import CODE_PATTERN
from apps.core.serializers import InputSerializer, ReferenceField
from apps.taxonomy.models import Challenge, Metric, Touchpoint
from apps.taxonomy.services import NewTerm


class CodeEntryField(serializers.RegexField):
    def __init__(self, **options: object) -> None:
        super().__init__(CODE_PATTERN, max_length=64, **options)  # type: ignore[arg-type]  # options of a field


class ChallengeChange(InputSerializer):
    name = serializers.CharField(max_length=200, required=False)
    name_fr = serializers.CharField(max_length=200, required=False, allow_blank=True)
    description = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    description_fr = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    severity = serializers.IntegerField(min_value=1, max_value=5, required=False)
    metric = ReferenceField(queryset=Metric.objects.all(), required=False, allow_null=True)
    touchpoint = ReferenceField(queryset=Touchpoint.objects.all(), required=False, allow_null=True)


class ChallengeInput(ChallengeChange):
    code = CodeEntryField()
    name = serializers.CharField(max_length=200)
    parent = ReferenceField(queryset=Challenge.objects.all(), required=False, allow_null=True)  # type: ignore[assignment]  # a field of that name


class MoveInput(InputSerializer):
    parent = ReferenceField(queryset=Challenge.objects.all(), allow_null=True)  # type: ignore[assignment]  # a field of that name


class MergeInput(InputSerializer):
    into = ReferenceField(queryset=Challenge.objects.all())


class PartInput(InputSerializer):
    """A challenge in use by its code, or a new one with its name."""

    code = CodeEntryField()
    name = serializers.CharField(max_length=200, required=False)
    name_fr = serializers.CharField(max_length=200, required=False, allow_blank=True)


class SplitInput(InputSerializer):
    parts = PartInput(many=True, allow_empty=False)

    def terms(self) -> list[Challenge | NewTerm]:
        """The parts as terms that stand or are to be made."""
        given = self.validated_data["parts"]
        codes = [part["code"] for part in given if "name" not in part]
        standing = {one.code.lower(): one for one in Challenge.objects.standing_for_codes(codes)}
        unknown = [code for code in codes if code.lower() not in standing]
        if unknown:
            message = f"There is no challenge {unknown[0]}. Give a name to make it."
            raise serializers.ValidationError({"parts": [message]}, code="unknown_code")
        return [
            NewTerm(code=part["code"], name=part["name"], name_fr=part.get("name_fr", ""))
            if "name" in part
            else standing[part["code"].lower()]
            for part in given
        ]


class NothingInput(InputSerializer):
    """No field is taken."""


class AliasChange(InputSerializer):
    challenge = ReferenceField(queryset=Challenge.objects.all())


class AliasInput(AliasChange):
    source = CodeEntryField()  # type: ignore[assignment]  # a field of that name
    label = serializers.CharField(max_length=300)  # type: ignore[assignment]  # a field of that name
