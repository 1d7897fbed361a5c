"""What leads decide about planning, and what they want asked before a start."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.languages import localised


class ReadyItem(models.Model):
    """A question every plan is asked before it is agreed, on top of what is checked by itself."""

    label = models.CharField(_("question"), max_length=200)
    label_fr = models.CharField(_("question in French"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("question before a start")
        verbose_name_plural = _("questions before a start")

    def __str__(self) -> str:
        return self.display_label

    @property
    def display_label(self) -> str:
        return localised(self.label, self.label_fr)


class PlanningRules(models.Model):
    """What leads decide about planning; one row, and without it the defaults."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    focus_limit = models.PositiveSmallIntegerField(_("problems at a time in one unit"), default=2)
    slip_days = models.PositiveSmallIntegerField(_("days a start may slip"), default=30)
    draft_days = models.PositiveSmallIntegerField(_("days a draft may rest"), default=60)
    task_days = models.PositiveSmallIntegerField(_("days a task may stay open"), default=90)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("rules of planning")
        verbose_name_plural = _("rules of planning")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="planning_planningrules_one_row"),
            models.CheckConstraint(
                condition=models.Q(focus_limit__range=(1, 20)), name="planning_planningrules_focus_limit"
            ),
        ]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
