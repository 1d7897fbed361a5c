"""What came into the library from elsewhere, and which of its entries look alike."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.languages import localised
from apps.library.models import Solution


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
