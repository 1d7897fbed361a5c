"""Who looks after a solution: its reviews, its watchers, and who is told when something is due."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import models, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import Membership, Role, User
from apps.accounts.services import record
from apps.library.models import Solution, Status, Watch
from apps.library.reviews import due_on
from apps.library.services import locked
from apps.notifications.services import Message, notify


@transaction.atomic
def mark_reviewed(*, solution: Solution, on: date, note: str = "", actor: User | None) -> Solution:
    """Somebody read it again and stands by it; the next review is counted from that day."""
    solution = locked(solution)
    before, solution.reviewed_on = solution.reviewed_on, on
    solution.review_due_on = due_on(since=on, every_months=solution.review_every_months)
    solution.save(update_fields=["reviewed_on", "review_due_on", "updated_at"])
    record(
        event="library.solution.reviewed",
        actor=actor,
        subject=solution,
        data={"code": solution.code, "before": before, "after": on, "note": note.strip()},
    )
    return solution


@transaction.atomic
def remind_of_reviews(*, as_of: date, at: datetime, limit: int = 200) -> int:
    """Tell the owner, or else the leads, of each solution whose review became due; once for each due date."""
    due = (
        Solution.objects.due_for_review(as_of=as_of)
        .exclude(review_told_on=models.F("review_due_on"))
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("owner")
        .order_by("review_due_on", "pk")[:limit]
    )
    told = 0
    for solution in due:
        owner = solution.owner
        notify(
            to=[owner] if owner is not None and owner.is_active else leads(),
            kind="library.review.due",
            say=lambda one=solution: Message(  # type: ignore[misc]  # the default binds this turn's solution
                title=_("“%(solution)s” is due for a review") % {"solution": one.display_title},
                body=_("Read it again: does the recipe still say what is done, and does its evidence agree?"),
            ),
            url=reverse("library:solution", args=[solution.code]),
            at=at,
        )
        Solution.objects.filter(pk=solution.pk).update(review_told_on=solution.review_due_on)
        told += 1
    return told


@transaction.atomic
def watch(*, solution: Solution, user: User) -> None:
    """Whom somebody watches is theirs alone to know, so it leaves no audit row."""
    Watch.objects.get_or_create(solution=solution, user=user)


@transaction.atomic
def unwatch(*, solution: Solution, user: User) -> None:
    Watch.objects.filter(solution=solution, user=user).delete()


def watchers(solution: Solution, *, but: User | None = None) -> list[User]:
    """Who wants to hear of changes; `but` made the change and knows."""
    keys = Watch.objects.filter(solution=solution).values("user")
    people = User.objects.filter(pk__in=keys, is_active=True)
    return list(people.exclude(pk=but.pk) if but is not None else people)


def tell_watchers(*, solution: Solution, what: str, at: datetime, actor: User | None) -> int:
    """`what` is "revised", "published" or "retired"."""
    titles = {
        "revised": lambda: _("“%(solution)s” was revised"),
        "published": lambda: _("“%(solution)s” was published"),
        "retired": lambda: _("“%(solution)s” was retired"),
    }
    return notify(
        to=watchers(solution, but=actor),
        kind=f"library.solution.{what}",
        say=lambda: Message(
            title=titles[what]() % {"solution": solution.display_title},
            body=_("You watch this solution. Its page shows what changed."),
        ),
        url=reverse("library:solution", args=[solution.code]),
        at=at,
    )


def leads() -> Iterable[User]:
    """Who is asked when nobody in particular is in charge."""
    keys = Membership.objects.filter(role__in=Role.at_least(Role.LEAD)).values("user")
    return User.objects.filter(pk__in=keys, is_active=True)


def is_due(solution: Solution, *, as_of: date) -> bool:
    return (
        solution.review_due_on is not None
        and solution.review_due_on <= as_of
        and solution.status != Status.RETIRED
    )
