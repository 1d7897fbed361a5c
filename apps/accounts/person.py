"""Who is asking: a signed-in person with the roles they hold, read once per request."""

from dataclasses import dataclass

from apps.accounts.models import ApiToken, Membership, Role, Scope, User

EVERYWHERE = Scope(paths=("",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user and, for each membership, the unit's path and the role; `token` when a program acts for them."""

    user: User
    roles: tuple[tuple[str, Role], ...]
    token: ApiToken | None = None

    @property
    def highest_role(self) -> Role | None:
        if self.user.is_superuser:
            return Role.ADMIN
        return max((role for _, role in self.roles), key=lambda role: role.rank, default=None)

    def has(self, role: Role) -> bool:
        """Whether the person holds at least `role` somewhere."""
        return self.highest_role is not None and self.highest_role.includes(role)

    def scope(self, role: Role = Role.STAFF) -> Scope:
        """The subtrees in which the person holds at least `role`."""
        if self.user.is_superuser:
            return EVERYWHERE
        paths = sorted(path for path, held in self.roles if path and held.includes(role))
        # A subtree inside another one adds nothing to the filter.
        return Scope(paths=tuple(p for p in paths if not any(p != q and p.startswith(q) for q in paths)))

    @property
    def leads_from_the_top(self) -> bool:
        """Whether the person leads a unit that lies under no other."""
        return any(path.count(".") <= 1 for path in self.scope(Role.LEAD).paths)

    def holds(self, role: Role, path: str) -> bool:
        """Whether the person holds at least `role` in the unit with this path."""
        return self.scope(role).holds(path)


def person_of(user: User, *, token: ApiToken | None = None) -> Person:
    memberships = Membership.objects.filter(user=user).values_list("unit__path", "role")
    return Person(user=user, roles=tuple((path, Role(role)) for path, role in memberships), token=token)
