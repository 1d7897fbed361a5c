"""People, units, roles and the record of who changed what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import OpClass
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.core.languages import localised


class Role(models.TextChoices):
    STAFF = "staff", _("Staff")
    MANAGER = "manager", _("Manager")
    LEAD = "lead", _("CX lead")
    ADMIN = "admin", _("Administrator")

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def includes(self, other: "Role") -> bool:
        """Whether a person with this role may do what `other` may do."""
        return self.rank >= other.rank

    @classmethod
    def at_least(cls, role: "Role") -> "list[Role]":
        return [candidate for candidate in cls if candidate.includes(role)]


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    class Language(models.TextChoices):
        ENGLISH = "en", _("English")
        FRENCH = "fr", _("French")

    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=Language.choices, default=Language.ENGLISH)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("may open the support pages"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [models.UniqueConstraint(Lower("email"), name="accounts_user_email")]

    def __str__(self) -> str:
        return self.name or self.email


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The subtrees in which a person holds at least some role; `paths` are unit paths."""

    paths: tuple[str, ...]

    def holds(self, path: str) -> bool:
        return any(path.startswith(prefix) for prefix in self.paths)

    def condition(self, prefix: str = "") -> models.Q:
        """The filter on a unit's path; `prefix` leads from the model to the path, such as "unit__"."""
        condition = models.Q(pk__in=[])
        for path in self.paths:
            condition |= models.Q(**{f"{prefix}path__startswith": path})
        return condition


class UnitQuerySet(models.QuerySet["Unit"]):
    def in_scope(self, scope: Scope) -> Self:
        return self.filter(scope.condition())

    def below(self, unit: "Unit") -> Self:
        """The unit itself and everything under it."""
        return self.filter(path__startswith=unit.path)


class Unit(models.Model):
    """A place where customers are served, or a group of such places."""

    code = models.CharField(_("code"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    name_fr = models.CharField(_("name in French"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=64, blank=True)
    region = models.CharField(_("region"), max_length=100, blank=True)
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    opened_on = models.DateField(_("opened on"), null=True, blank=True)
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    # Of a unit that closed: the one it was merged into. Of a new one: the unit it was split from.
    successor = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    split_from = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    path = models.CharField(max_length=400, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = UnitQuerySet.as_manager()

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        constraints = [
            models.UniqueConstraint(Lower("code"), name="accounts_unit_code"),
            models.CheckConstraint(
                condition=models.Q(closed_on=None)
                | models.Q(opened_on=None)
                | models.Q(closed_on__gt=models.F("opened_on")),
                name="accounts_unit_open_before_closed",
                violation_error_message=_("A unit closes after it opened."),
            ),
            models.CheckConstraint(
                condition=models.Q(successor=None)
                | (models.Q(closed_on__isnull=False) & ~models.Q(successor=models.F("id"))),
                name="accounts_unit_successor_of_closed",
            ),
        ]
        indexes = [models.Index(OpClass("path", "varchar_pattern_ops"), name="accounts_unit_path")]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return localised(self.name, self.name_fr)

    @property
    def ancestor_ids(self) -> list[int]:
        """From the root down to the parent."""
        return [int(step) for step in self.path.rstrip(".").split(".")[:-1] if step]


class UnitPlacement(models.Model):
    """Where a unit stood in the tree, and when; a root has no parent."""

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="placements")
    parent = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+")
    valid = DateRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="accounts_unitplacement_one_at_a_time",
                expressions=[("unit", RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
                violation_error_message=_("A unit has one parent at a time."),
            ),
            models.CheckConstraint(
                condition=~models.Q(parent=models.F("unit")), name="accounts_unitplacement_not_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit_id} under {self.parent_id} {self.valid}"


class MembershipQuerySet(models.QuerySet["Membership"]):
    def scope(self, user: User, role: Role) -> Scope:
        """The subtrees in which `user` holds at least `role`."""
        paths = self.filter(user=user, role__in=Role.at_least(role)).values_list("unit__path", flat=True)
        return Scope(paths=tuple(sorted(paths)))


class Membership(models.Model):
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    unit = models.ForeignKey(Unit, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "unit"], name="accounts_membership_user_unit")]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} of {self.unit_id}"


class ApiToken(models.Model):
    """A key for programs; only its digest is kept."""

    class Access(models.TextChoices):
        READ = "read", _("Read")
        IMPORT = "import", _("Import data")
        WRITE = "write", _("Create and change")

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(_("scopes"), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_valid_at(self, instant: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > instant)


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def about(self, subject: models.Model) -> Self:
        return self.filter(subject=subject_of(subject))


class AuditEvent(models.Model):
    """What changed, by whom and when; rows are only ever added."""

    event = models.CharField(max_length=100)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    subject = models.CharField(max_length=100)
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    at = models.DateTimeField(auto_now_add=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["subject", "at"], name="accounts_auditevent_subject"),
            models.Index(fields=["event", "at"], name="accounts_auditevent_event"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.subject}"


def subject_of(instance: models.Model) -> str:
    return f"{instance._meta.label_lower}:{instance.pk}"
