"""Which calls for ideas there are, and what came of one."""

from dataclasses import dataclass
from datetime import date

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet, Sum

from apps.accounts.models import Role
from apps.accounts.person import Person
from apps.accounts.selectors import covers_everything
from apps.ideas.models import Call, Idea
from apps.ideas.states import UNDECIDED, State

PAGE_ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    pk: int
    title: str
    challenge: str
    unit: str
    opens_on: date
    closes_on: date
    is_open: bool
    is_to_come: bool
    ideas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSummary:
    """What came of a call, counted over its public ideas."""

    ideas: int
    units: int
    votes: int
    open: int
    piloted: int
    in_library: int
    declined: int


def call_page(*, number: str | None, as_of: date) -> Page[CallRow]:
    """Open calls first, then the newest; a constant number of queries."""
    public = Count("ideas", filter=Q(ideas__let_in_at__isnull=False, ideas__hidden_at=None))
    calls = (
        Call.objects.select_related("challenge", "unit").annotate(idea_count=public).order_by("-closes_on", "-pk")
    )
    page = Paginator(calls, PAGE_ROWS).get_page(number)
    rows = [_row(call, as_of=as_of) for call in page.object_list]
    return Page(rows, page.number, page.paginator)  # type: ignore[arg-type]  # rows stand for the calls


def call_summary(call: Call) -> CallSummary:
    ideas = Idea.objects.public().filter(call=call)
    found = ideas.aggregate(
        ideas=Count("pk"),
        units=Count("unit", distinct=True),
        votes=Sum("vote_count", filter=Q(merged_into=None), default=0),
        open=Count("pk", filter=Q(state__in=UNDECIDED)),
        piloted=Count("pk", filter=Q(state=State.PILOT)),
        in_library=Count("pk", filter=Q(state=State.IN_LIBRARY)),
        declined=Count("pk", filter=Q(state=State.DECLINED)),
    )
    return CallSummary(**found)


def managed_calls(person: Person) -> QuerySet[Call]:
    """Calls to units the person leads; calls to everybody are for those who lead all units."""
    scope = person.scope(Role.LEAD)
    own = scope.condition("unit__")
    return Call.objects.filter(own | Q(unit=None) if covers_everything(scope) else own)


def _row(call: Call, *, as_of: date) -> CallRow:
    idea_count: int = getattr(call, "idea_count", 0)  # annotated
    return CallRow(
        pk=call.pk,
        title=call.display_title,
        challenge=call.challenge.display_name,
        unit=call.unit.display_name if call.unit else "",
        opens_on=call.opens_on,
        closes_on=call.closes_on,
        is_open=call.is_open_on(as_of),
        is_to_come=call.opens_on > as_of and call.closed_at is None,
        ideas=idea_count,
    )
