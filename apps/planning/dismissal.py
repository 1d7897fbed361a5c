"""What a unit said no to; a part of the models that fits no other."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Scope, Unit, User
from apps.library.models import Solution
from apps.taxonomy.models import Challenge


class DismissalQuerySet(models.QuerySet["Dismissal"]):
    def in_scope(self, scope: Scope) -> Self:
        return self.filter(scope.condition("unit__"))


class Dismissal(models.Model):
    """A unit says that a solution is not for it, against one challenge, and why."""

    class Reason(models.TextChoices):
        TRIED = "tried", _("Tried already")
        COSTLY = "costly", _("Too costly")
        NOT_APPLICABLE = "not_applicable", _("Not applicable here")
        NOT_ALLOWED = "not_allowed", _("Not allowed")

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    challenge = models.ForeignKey(Challenge, models.PROTECT, related_name="+")
    solution = models.ForeignKey(Solution, models.CASCADE, related_name="+")
    reason = models.CharField(_("reason"), max_length=14, choices=Reason.choices)
    person = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DismissalQuerySet.as_manager()

    class Meta:
        verbose_name = _("solution a unit does not want")
        verbose_name_plural = _("solutions units do not want")
        constraints = [
            models.UniqueConstraint(fields=["unit", "challenge", "solution"], name="planning_dismissal_once")
        ]
        indexes = [models.Index(fields=["solution", "challenge"], name="planning_dismissal_solution")]

    def __str__(self) -> str:
        return f"{self.solution_id} in {self.unit_id}: {self.reason}"
