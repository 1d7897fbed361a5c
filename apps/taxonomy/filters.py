"""Which records an API list shows when it is asked for those of a challenge."""

from typing import Any

from django.db.models import QuerySet

from apps.core.filters import CodeFilter, codes_of
from apps.taxonomy.models import Challenge


class ChallengeCodeFilter(CodeFilter):
    """Records shown under a challenge: its own and those of all that was merged into it."""

    def filter(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        codes = codes_of(value)
        if not codes:
            return queryset
        matching = queryset.filter(**{f"{self.field_name}__in": Challenge.objects.standing_for_codes(codes)})
        if not self.distinct:
            return matching
        return queryset.filter(pk__in=matching.order_by().values("pk"))
