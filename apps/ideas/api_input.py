"""How callers of the API name an idea."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.ideas.selectors import readable_ideas


class IdeaReference(serializers.IntegerField):
    """The id of an idea that the caller may read; `is_standing` asks for one that was not merged."""

    default_error_messages = {"unknown_idea": _("There is no idea {id} that you may read.")}

    def __init__(self, *, is_standing: bool = False, **options: Any) -> None:
        self.is_standing = is_standing
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Any:
        key = super().to_internal_value(data)
        ideas = readable_ideas(self.context["person"])
        found = (ideas.standing() if self.is_standing else ideas).filter(pk=key).first()
        if found is None:
            self.fail("unknown_idea", id=key)
        return found
