"""The areas of the product, as far as a person's role lets them in."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Role
from apps.accounts.person import Person
from apps.notifications.selectors import unread_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """`prefix` tells which addresses belong to the area."""

    label: Promise
    icon: str
    url_name: str
    prefixes: tuple[str, ...]
    role: Role = Role.STAFF
    # Whether the role is needed at the top of the tree, not just somewhere in it.
    is_for_all: bool = False


AREAS = (
    Area(label=_("Home"), icon="house", url_name="home", prefixes=()),
    Area(
        label=_("Focus"), icon="target", url_name="impact:focus", prefixes=("/focus/", "/challenges/", "/units/")
    ),
    Area(
        label=_("Plans"),
        icon="clipboard-check",
        url_name="planning:action-list",
        prefixes=("/plans/", "/actions/"),
    ),
    Area(
        label=_("Library"),
        icon="library",
        url_name="library:solution-list",
        prefixes=("/solutions/", "/library/", "/playbooks/", "/taxonomy/", "/curation/"),
    ),
    Area(label=_("Ideas"), icon="lightbulb", url_name="ideas:idea-list", prefixes=("/ideas/", "/calls/")),
    Area(
        label=_("Learn"),
        icon="chart-no-axes-combined",
        url_name="impact:learn",
        prefixes=("/learn/",),
        role=Role.LEAD,
    ),
    Area(
        label=_("Data"),
        icon="database",
        url_name="imports:batch-list",
        prefixes=("/data/",),
        role=Role.LEAD,
        is_for_all=True,
    ),
    Area(label=_("Settings"), icon="settings", url_name="accounts:settings", prefixes=("/settings/",)),
)


def navigation(request: HttpRequest) -> dict[str, object]:
    person = getattr(request, "person", None)
    if person is None:
        return {"areas": []}
    areas = [
        {
            "label": area.label,
            "icon": area.icon,
            "url": reverse(area.url_name),
            "is_current": request.path.startswith(area.prefixes) if area.prefixes else request.path == "/",
        }
        for area in _in_order(person)
        if (person.leads_from_the_top if area.is_for_all else person.has(area.role))
    ]
    return {
        "areas": areas,
        "person": person,
        "unit": getattr(request, "unit", None),
        # Asked for by pages alone: a fragment has no bell.
        "unread_count": SimpleLazyObject(lambda: unread_count(user=person.user)),
    }


def _in_order(person: Person) -> list[Area]:
    """The first four stand in the bar of a phone, where staff propose more than they look things up."""
    later = "library:solution-list" if person.highest_role == Role.STAFF else "ideas:idea-list"
    order = {"library:solution-list": 0, "ideas:idea-list": 0, later: 1}
    middle = sorted((area for area in AREAS if area.url_name in order), key=lambda area: order[area.url_name])
    return [middle.pop(0) if area.url_name in order else area for area in AREAS]
