"""Files that came in, how far they are and what was rejected."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Role, User
from apps.accounts.person import Person
from apps.accounts.selectors import covers_everything


class Kind(models.TextChoices):
    UNITS = "units", _("Units")
    TOUCHPOINTS = "touchpoints", _("Touchpoints")
    METRICS = "metrics", _("Metrics")
    CHALLENGES = "challenges", _("Challenges")
    ALIASES = "aliases", _("Aliases")
    SOLUTIONS = "solutions", _("Solutions")
    FEEDBACK = "feedback", _("Feedback")
    ACTIONS = "actions", _("Actions")
    PEOPLE = "people", _("People")
    EVENTS = "events", _("Events")


class ImportBatchQuerySet(models.QuerySet["ImportBatch"]):
    def unfinished(self) -> Self:
        return self.filter(state__in=[ImportBatch.State.RECEIVED, ImportBatch.State.RUNNING])

    def visible_to(self, person: Person) -> Self:
        """All imports for whoever leads the whole organisation, their own for other leads."""
        return self if covers_everything(person.scope(Role.LEAD)) else self.filter(actor=person.user)


class ImportBatch(models.Model):
    """One file; its good rows land together with its state, so it is imported once or not at all."""

    class State(models.TextChoices):
        RECEIVED = "received", _("Waiting")
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")

    kind = models.CharField(_("kind"), max_length=11, choices=Kind.choices)
    source = models.CharField(_("source"), max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.RECEIVED)
    # Emptied once the batch is over: it may name customers in clear.
    file = models.FileField(upload_to="imports/%Y/%m/", max_length=300, blank=True)
    file_name = models.CharField(_("file"), max_length=255)
    file_bytes = models.BigIntegerField(default=0)
    mapping = models.JSONField(null=True, blank=True)
    is_strict = models.BooleanField(default=False)
    is_dry_run = models.BooleanField(default=False)
    phase = models.CharField(max_length=20, blank=True)
    read_bytes = models.BigIntegerField(default=0)
    row_count = models.BigIntegerField(default=0)
    accepted_count = models.BigIntegerField(default=0)
    duplicate_count = models.BigIntegerField(default=0)
    corrected_count = models.BigIntegerField(default=0)
    rejected_count = models.BigIntegerField(default=0)
    warnings = models.JSONField(default=list)
    rejects = models.FileField(upload_to="rejects/%Y/%m/", max_length=300, blank=True)
    # The first rejected rows, to be shown without opening the file of all of them.
    reject_sample = models.JSONField(default=list)
    error = models.JSONField(null=True, blank=True)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    attempt_count = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [models.Index(fields=["state", "id"], name="imports_importbatch_state")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.file_name}"

    @property
    def is_over(self) -> bool:
        return self.state in (self.State.FINISHED, self.State.FAILED)
