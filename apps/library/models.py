"""Known remedies, their frozen texts and the challenges they answer."""

from typing import Self

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.languages import localised
from apps.taxonomy.models import Challenge


class SolutionQuerySet(models.QuerySet["Solution"]):
    def published(self) -> Self:
        return self.filter(status=Solution.Status.PUBLISHED)


class Solution(models.Model):
    class Kind(models.TextChoices):
        TRAINING = "training", _("Training")
        SOP = "sop", _("Procedure")
        ASSET = "asset", _("Physical asset")
        POLICY = "policy", _("Policy")
        SYSTEM = "system", _("System")
        COMMUNICATION = "communication", _("Communication")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    class Origin(models.TextChoices):
        COMPANY = "company", _("Company")
        CROWD = "crowd", _("Colleagues")

    code = models.CharField(_("code"), max_length=64)
    title = models.CharField(_("title"), max_length=200)
    title_fr = models.CharField(_("title in French"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=13, choices=Kind.choices)
    cost = models.PositiveSmallIntegerField(_("cost, 1 to 5"), null=True, blank=True)
    effort_hours = models.DecimalField(_("effort in hours"), max_digits=8, decimal_places=1, null=True, blank=True)
    lag_days = models.PositiveIntegerField(_("days until it shows"), default=0)
    url = models.URLField(_("link"), max_length=500, blank=True)
    external_ref = models.CharField(_("reference in another system"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.PUBLISHED)
    origin = models.CharField(_("origin"), max_length=7, choices=Origin.choices, default=Origin.COMPANY)
    author = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    challenges = models.ManyToManyField(Challenge, through="SolutionLink", related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SolutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("solution")
        verbose_name_plural = _("solutions")
        constraints = [
            models.UniqueConstraint(Lower("code"), name="library_solution_code"),
            models.CheckConstraint(
                condition=models.Q(cost=None) | models.Q(cost__range=(1, 5)), name="library_solution_cost"
            ),
        ]

    def __str__(self) -> str:
        return self.display_title

    @property
    def display_title(self) -> str:
        return localised(self.title, self.title_fr)


class SolutionVersion(models.Model):
    """The text of a solution at one time; an action keeps the version it applied."""

    solution = models.ForeignKey(Solution, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(_("title"), max_length=200)
    summary = models.TextField(_("summary"), blank=True)
    body = models.TextField(_("recipe"), blank=True)
    lag_days = models.PositiveIntegerField(_("days until it shows"), default=0)
    author = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("version")
        constraints = [
            models.UniqueConstraint(fields=["solution", "number"], name="library_solutionversion_number")
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.number}"


class SolutionLink(models.Model):
    """A solution is known to answer a challenge."""

    challenge = models.ForeignKey(Challenge, models.PROTECT, related_name="+")
    solution = models.ForeignKey(Solution, models.CASCADE, related_name="links")
    rationale = models.TextField(_("why it helps"), blank=True)
    is_seen_in_use = models.BooleanField(_("linked because it was used for it"), default=False)

    class Meta:
        verbose_name = _("link")
        constraints = [models.UniqueConstraint(fields=["challenge", "solution"], name="library_solutionlink_pair")]

    def __str__(self) -> str:
        return f"{self.solution_id} for {self.challenge_id}"
