"""What came into the library from elsewhere, and which of its entries look alike."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.languages import localised
from apps.ideas.models import OPEN_STATES, Idea
from apps.library.models import Solution, Status


class OutsideEvidence(models.Model):
    """What a pack says that uses of a solution changed in other organisations; shown apart, never pooled."""

    pack = models.CharField(_("pack"), max_length=64)
    solution = models.ForeignKey(Solution, models.CASCADE, related_name="+")
    outcome = models.CharField(_("outcome"), max_length=200)
    outcome_fr = models.CharField(_("outcome in French"), max_length=200, blank=True)
    unit_label = models.CharField(_("unit of measure"), max_length=40, blank=True)
    effect = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    use_count = models.PositiveIntegerField()
    unit_count = models.PositiveIntegerField()
    level = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=40, blank=True)
    as_of = models.CharField(max_length=10, blank=True)

    class Meta:
        verbose_name = _("evidence from elsewhere")
        constraints = [
            models.UniqueConstraint(fields=["pack", "solution", "outcome"], name="curation_outsideevidence_once"),
            models.CheckConstraint(
                condition=models.Q(low__lte=models.F("effect"), high__gte=models.F("effect")),
                name="curation_outsideevidence_interval",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.solution_id} in {self.pack}"

    @property
    def display_outcome(self) -> str:
        return localised(self.outcome, self.outcome_fr)


class LookAlikeQuerySet(models.QuerySet["LookAlike"]):
    def open(self) -> Self:
        """Those that wait for somebody, as long as each of the two still stands for itself."""
        return self.filter(
            models.Q(idea=None) | models.Q(idea__state__in=OPEN_STATES, idea__hidden_at=None),
            models.Q(other_idea=None) | models.Q(other_idea__state__in=OPEN_STATES, other_idea__hidden_at=None),
            models.Q(solution=None) | ~models.Q(solution__status=Status.RETIRED),
            models.Q(other_solution=None) | ~models.Q(other_solution__status=Status.RETIRED),
            state=LookAlike.State.OPEN,
        )


class LookAlike(models.Model):
    """Two entries of the library that may be the same: solutions, ideas, or an idea and a solution."""

    class Kind(models.TextChoices):
        SOLUTIONS = "solutions", _("Two solutions")
        IDEAS = "ideas", _("Two ideas")
        MIXED = "mixed", _("An idea and a solution")

    class State(models.TextChoices):
        OPEN = "open", _("Waiting")
        DISMISSED = "dismissed", _("Not the same")
        SETTLED = "settled", _("Joined")

    kind = models.CharField(_("kind"), max_length=9, choices=Kind.choices)
    solution = models.ForeignKey(Solution, models.CASCADE, null=True, blank=True, related_name="+")
    other_solution = models.ForeignKey(Solution, models.CASCADE, null=True, blank=True, related_name="+")
    idea = models.ForeignKey(Idea, models.CASCADE, null=True, blank=True, related_name="+")
    other_idea = models.ForeignKey(Idea, models.CASCADE, null=True, blank=True, related_name="+")
    # From 0 to 1.
    likeness = models.FloatField(_("likeness"))
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.OPEN)
    found_at = models.DateTimeField(_("found"))
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    objects = LookAlikeQuerySet.as_manager()

    class Meta:
        verbose_name = _("look-alike")
        verbose_name_plural = _("look-alikes")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    kind="solutions", idea=None, other_idea=None, other_solution__gt=models.F("solution")
                )
                | models.Q(kind="ideas", solution=None, other_solution=None, other_idea__gt=models.F("idea"))
                | models.Q(
                    kind="mixed",
                    solution__isnull=False,
                    idea__isnull=False,
                    other_solution=None,
                    other_idea=None,
                ),
                name="curation_lookalike_pair",
            ),
            models.CheckConstraint(
                condition=models.Q(likeness__gte=0, likeness__lte=1), name="curation_lookalike_likeness"
            ),
            models.CheckConstraint(
                condition=models.Q(state="open", decided_at=None)
                | ~models.Q(state="open") & models.Q(decided_at__isnull=False),
                name="curation_lookalike_decided",
            ),
            models.UniqueConstraint(
                fields=["solution", "other_solution"],
                condition=models.Q(kind="solutions"),
                name="curation_lookalike_solutions",
            ),
            models.UniqueConstraint(
                fields=["idea", "other_idea"], condition=models.Q(kind="ideas"), name="curation_lookalike_ideas"
            ),
            models.UniqueConstraint(
                fields=["idea", "solution"], condition=models.Q(kind="mixed"), name="curation_lookalike_mixed"
            ),
        ]
        indexes = [
            models.Index(fields=["found_at"], condition=models.Q(state="open"), name="curation_lookalike_open")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Compared(models.Model):
    """The words by which an entry was last compared with all others, as a digest."""

    solution = models.OneToOneField(Solution, models.CASCADE, null=True, blank=True, related_name="+")
    idea = models.OneToOneField(Idea, models.CASCADE, null=True, blank=True, related_name="+")
    digest = models.CharField(max_length=32)

    class Meta:
        verbose_name = _("comparison")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(solution=None) ^ models.Q(idea=None), name="curation_compared_one"
            )
        ]

    def __str__(self) -> str:
        return f"{self.solution_id or self.idea_id}"
