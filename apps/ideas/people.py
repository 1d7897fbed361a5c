"""Who decides on an idea, who is asked to try it, who proposed it, and whose posts appear at once."""

from collections.abc import Iterable, Sequence

from apps.accounts.models import Membership, Role, Unit, User
from apps.core.trees import path_prefixes
from apps.ideas.anonymity import behind
from apps.ideas.models import Comment, Idea


def deciding_unit(unit: Unit, *, above: Unit | None = None) -> Unit | None:
    """The nearest unit at or above `unit` that has a CX lead; with `above`, strictly above that one."""
    prefixes = path_prefixes(unit.path)
    if above is not None:
        prefixes = [path for path in prefixes if len(path) < len(above.path)]
    leads = Membership.objects.filter(
        unit__path__in=prefixes, role__in=Role.at_least(Role.LEAD), user__is_active=True
    ).select_related("unit")
    return max((lead.unit for lead in leads), key=lambda found: len(found.path), default=None)


def deciders(idea: Idea) -> list[User]:
    """The leads of the unit that owes the next step."""
    if idea.level_id is None:
        return []
    return list(
        User.objects.filter(
            memberships__unit=idea.level_id, memberships__role__in=Role.at_least(Role.LEAD), is_active=True
        ).distinct()
    )


def managers_of(units: Sequence[Unit]) -> list[User]:
    """Those who manage one of the units itself."""
    return list(
        User.objects.filter(memberships__unit__in=units, memberships__role=Role.MANAGER, is_active=True).distinct()
    )


def named_authors(idea: Idea) -> list[User]:
    """Who proposed the idea or one merged into it under their name."""
    people = [found.author for found in _group(idea) if found.author is not None]
    return list(dict.fromkeys(people))


def anonymous_authors(idea: Idea) -> list[User]:
    """Who proposed the idea or one merged into it without a name; for telling them news and nothing else."""
    keys = [found.author_key for found in _group(idea) if found.author_key]
    return behind(keys, User.objects.filter(is_active=True)) if keys else []


def is_trusted(user: User, *, posts: int) -> bool:
    """Managers are; others once `posts` of theirs were let in, none of them hidden since."""
    if user.is_superuser or Membership.objects.filter(user=user).exclude(role=Role.STAFF).exists():
        return True
    let_in = Idea.objects.filter(author=user).public().count()
    return let_in + Comment.objects.filter(author=user).public().count() >= posts


def _group(idea: Idea) -> Iterable[Idea]:
    return [idea, *idea.merged.select_related("author")]
