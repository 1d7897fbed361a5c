"""Known remedies, their frozen texts, the challenges they answer, and what is applied together."""

from datetime import date
from typing import Self

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.languages import localised
from apps.core.searching import Joined, Searchable, Words, plain
from apps.core.uploads import StoredUnder
from apps.library.texts import NAMES, RecipeText
from apps.taxonomy.models import Challenge


def search_words() -> Joined:
    """Titles weigh most; each language is stemmed by its own rules."""
    return Joined(
        Words(models.F("title"), config="english", weight="A"),
        Words(models.F("summary"), config="english", weight="B"),
        Words(models.F("title_fr"), config="french", weight="A"),
        Words(models.F("summary_fr"), config="french", weight="B"),
    )


class Status(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    RETIRED = "retired", _("Retired")


class SolutionQuerySet(models.QuerySet["Solution"]):
    def published(self) -> Self:
        return self.filter(status=Status.PUBLISHED)

    def seen_by(self, *, is_lead: bool) -> Self:
        """Drafts are for leads; what was retired stays readable."""
        return self if is_lead else self.exclude(status=Status.DRAFT)

    def due_for_review(self, *, as_of: date) -> Self:
        return self.filter(review_due_on__lte=as_of).exclude(status=Status.RETIRED)

    def answering(self, challenge: Challenge) -> Self:
        return self.filter(links__challenge=challenge)


class Solution(models.Model):
    """A known remedy; title and summary are those of its newest version, kept here to be searched."""

    class Kind(models.TextChoices):
        TRAINING = "training", _("Training")
        SOP = "sop", _("Procedure")
        ASSET = "asset", _("Physical asset")
        POLICY = "policy", _("Policy")
        SYSTEM = "system", _("System")
        COMMUNICATION = "communication", _("Communication")

    class Origin(models.TextChoices):
        COMPANY = "company", _("Company")
        CROWD = "crowd", _("Colleagues")

    Status = Status

    code = models.CharField(_("code"), max_length=64)
    title = models.CharField(_("title"), max_length=200)
    title_fr = models.CharField(_("title in French"), max_length=200, blank=True)
    summary = models.TextField(_("summary"), blank=True, default="", db_default="")
    summary_fr = models.TextField(_("summary in French"), blank=True, default="", db_default="")
    kind = models.CharField(_("kind"), max_length=13, choices=Kind.choices)
    cost = models.PositiveSmallIntegerField(_("cost, 1 to 5"), null=True, blank=True)
    effort_hours = models.DecimalField(_("effort in hours"), max_digits=8, decimal_places=1, null=True, blank=True)
    lag_days = models.PositiveIntegerField(_("days until it shows"), default=0)
    url = models.URLField(_("link"), max_length=500, blank=True)
    source = models.CharField(_("system it comes from"), max_length=64, blank=True, default="", db_default="")
    external_ref = models.CharField(_("reference in another system"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.PUBLISHED)
    origin = models.CharField(_("origin"), max_length=7, choices=Origin.choices, default=Origin.COMPANY)
    author = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    owner = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    review_every_months = models.PositiveSmallIntegerField(_("months between reviews"), null=True, blank=True)
    reviewed_on = models.DateField(_("last reviewed on"), null=True, blank=True)
    review_due_on = models.DateField(_("next review on"), null=True, blank=True)
    # The due date of which the owner was told, so that nobody is told twice.
    review_told_on = models.DateField(null=True, blank=True, editable=False)
    # The one that stands for it since somebody found them to be the same.
    replaced_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("replaced by")
    )
    challenges = models.ManyToManyField(Challenge, through="SolutionLink", related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    search_title = models.GeneratedField(
        expression=plain("title", "title_fr"), output_field=models.TextField(), db_persist=True
    )
    search_words = models.GeneratedField(
        expression=search_words(), output_field=SearchVectorField(), db_persist=True
    )

    objects = SolutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("solution")
        verbose_name_plural = _("solutions")
        constraints = [
            models.UniqueConstraint(Lower("code"), name="library_solution_code"),
            models.UniqueConstraint(
                Lower("source"),
                "external_ref",
                condition=~models.Q(source="") & ~models.Q(external_ref=""),
                name="library_solution_external",
                violation_error_message=_("Another solution has this reference in that system."),
            ),
            models.CheckConstraint(
                condition=models.Q(cost=None) | models.Q(cost__range=(1, 5)), name="library_solution_cost"
            ),
            models.CheckConstraint(
                condition=models.Q(review_every_months=None) | models.Q(review_every_months__range=(1, 60)),
                name="library_solution_review_every",
            ),
            models.CheckConstraint(
                condition=~models.Q(replaced_by=models.F("pk")), name="library_solution_not_by_itself"
            ),
        ]
        indexes = [
            GinIndex(fields=["search_words"], name="library_solution_words"),
            GinIndex(OpClass("search_title", "gin_trgm_ops"), name="library_solution_titles"),
            models.Index(fields=["review_due_on"], name="library_solution_review_due"),
        ]

    def __str__(self) -> str:
        return self.display_title

    @property
    def display_title(self) -> str:
        return localised(self.title, self.title_fr)

    @property
    def display_summary(self) -> str:
        return localised(self.summary, self.summary_fr)


class Recipe(models.Model):
    """The words of a recipe in one language, part by part."""

    title = models.CharField(_("title"), max_length=200)
    summary = models.TextField(_("summary"), blank=True, default="", db_default="")
    why = models.TextField(_("why"), blank=True, default="", db_default="")
    materials = models.TextField(_("materials"), blank=True, default="", db_default="")
    procedure = models.TextField(_("procedure"), blank=True, default="", db_default="")
    who = models.TextField(_("who"), blank=True, default="", db_default="")
    how = models.TextField(_("how"), blank=True, default="", db_default="")
    where = models.TextField(_("where"), blank=True, default="", db_default="")
    when_and_how_much = models.TextField(_("when and how much"), blank=True, default="", db_default="")
    tailoring = models.TextField(_("tailoring"), blank=True, default="", db_default="")
    fidelity = models.TextField(_("fidelity check"), blank=True, default="", db_default="")
    body = models.TextField(_("recipe"), blank=True, default="", db_default="")

    class Meta:
        abstract = True

    @property
    def text(self) -> RecipeText:
        return RecipeText(**{name: getattr(self, name) for name in NAMES})


class SolutionVersion(Recipe):
    """The text of a solution at one time; an action keeps the version it applied."""

    solution = models.ForeignKey(Solution, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    lag_days = models.PositiveIntegerField(_("days until it shows"), default=0)
    note = models.TextField(_("what changed and why"), blank=True, default="", db_default="")
    author = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("version")
        constraints = [
            models.UniqueConstraint(fields=["solution", "number"], name="library_solutionversion_number")
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.number}"


class VersionTranslation(Recipe):
    """A version's text in another language; a part left empty is shown in the main language."""

    version = models.ForeignKey(SolutionVersion, models.CASCADE, related_name="translations")
    language = models.CharField(_("language"), max_length=5)

    class Meta:
        verbose_name = _("translation")
        constraints = [
            models.UniqueConstraint(fields=["version", "language"], name="library_versiontranslation_language")
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.language}"


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


class WebLink(models.Model):
    """Further reading about a solution, elsewhere."""

    solution = models.ForeignKey(Solution, models.CASCADE, related_name="web_links")
    url = models.URLField(_("address"), max_length=500)
    label = models.CharField(_("label"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("link")
        constraints = [models.UniqueConstraint(fields=["solution", "url"], name="library_weblink_url")]

    def __str__(self) -> str:
        return self.label or self.url


class SolutionFile(models.Model):
    """A sheet, a picture or a document that belongs to a recipe; kept outside what the web server serves."""

    solution = models.ForeignKey(Solution, models.CASCADE, related_name="files")
    file = models.FileField(upload_to=StoredUnder("solutions"), max_length=200)
    name = models.CharField(_("name"), max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    author = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("file")

    def __str__(self) -> str:
        return self.name


class SolutionAlias(models.Model):
    """What another system calls a solution; an empty source stands for every system."""

    source = models.CharField(_("source"), max_length=64, blank=True)
    label = models.CharField(_("label"), max_length=200)
    solution = models.ForeignKey(Solution, models.CASCADE, related_name="aliases")

    class Meta:
        verbose_name = _("alias of a solution")
        verbose_name_plural = _("aliases of solutions")
        constraints = [
            models.UniqueConstraint(Lower("source"), Lower("label"), name="library_solutionalias_source_label")
        ]
        indexes = [GinIndex(OpClass(Searchable("label"), "gin_trgm_ops"), name="library_solutionalias_label")]

    def __str__(self) -> str:
        return f"{self.source}: {self.label}"


class UnmappedSolutionQuerySet(models.QuerySet["UnmappedSolution"]):
    def waiting(self) -> Self:
        """Labels of which nobody has said yet which solution they mean."""
        label = Lower(models.OuterRef("label"))
        aliases = SolutionAlias.objects.alias(own=Lower("label")).filter(own=label)
        same_source = models.Q(source="") | models.Q(source__iexact=models.OuterRef("source"))
        codes = Solution.objects.alias(own=Lower("code")).filter(own=label)
        known = models.Exists(aliases.filter(same_source)) | models.Exists(codes)
        return self.filter(~models.Q(known), is_ignored=False)


class UnmappedSolution(models.Model):
    """A label that a file used for a solution when nobody had said yet which one it means."""

    source = models.CharField(_("source"), max_length=64)
    label = models.CharField(_("label"), max_length=200)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    # Rows of actions that could not come in because of it.
    rejected_count = models.PositiveIntegerField(_("rejected rows"), default=0)
    is_ignored = models.BooleanField(default=False)

    objects = UnmappedSolutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("unmapped label of a solution")
        verbose_name_plural = _("unmapped labels of solutions")
        constraints = [
            models.UniqueConstraint(Lower("source"), Lower("label"), name="library_unmappedsolution_source_label")
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.label}"


class PlaybookQuerySet(models.QuerySet["Playbook"]):
    def published(self) -> Self:
        return self.filter(status=Status.PUBLISHED)

    def seen_by(self, *, is_lead: bool) -> Self:
        return self if is_lead else self.exclude(status=Status.DRAFT)


class Playbook(models.Model):
    """Several solutions meant to be applied together, and why."""

    Status = Status

    code = models.CharField(_("code"), max_length=64)
    title = models.CharField(_("title"), max_length=200)
    title_fr = models.CharField(_("title in French"), max_length=200, blank=True)
    rationale = models.TextField(_("why together"), blank=True)
    rationale_fr = models.TextField(_("why together, in French"), blank=True)
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.PUBLISHED)
    author = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    solutions = models.ManyToManyField(Solution, through="PlaybookSolution", related_name="playbooks")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = PlaybookQuerySet.as_manager()

    class Meta:
        verbose_name = _("playbook")
        verbose_name_plural = _("playbooks")
        constraints = [models.UniqueConstraint(Lower("code"), name="library_playbook_code")]

    def __str__(self) -> str:
        return self.display_title

    @property
    def display_title(self) -> str:
        return localised(self.title, self.title_fr)

    @property
    def display_rationale(self) -> str:
        return localised(self.rationale, self.rationale_fr)


class PlaybookSolution(models.Model):
    """A solution's place in a playbook, and its part in it."""

    playbook = models.ForeignKey(Playbook, models.CASCADE, related_name="steps")
    solution = models.ForeignKey(Solution, models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    note = models.CharField(_("its part"), max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["playbook", "solution"], name="library_playbooksolution_pair"),
            models.UniqueConstraint(fields=["playbook", "position"], name="library_playbooksolution_position"),
        ]

    def __str__(self) -> str:
        return f"{self.solution_id} in {self.playbook_id}"


class ChangeRequest(models.Model):
    """What somebody would have changed in a recipe, and what became of it."""

    class State(models.TextChoices):
        OPEN = "open", _("Waiting")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")

    solution = models.ForeignKey(Solution, models.CASCADE, related_name="change_requests")
    # The version its author had read.
    version = models.ForeignKey(SolutionVersion, models.CASCADE, related_name="+")
    language = models.CharField(_("language"), max_length=5)
    changes = models.JSONField(default=dict)
    reason = models.TextField(_("why"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    author = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.TextField(_("what the lead says"), blank=True)
    result = models.ForeignKey(SolutionVersion, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("change request")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="open") | models.Q(decided_at__isnull=False),
                name="library_changerequest_decided",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="declined") | ~models.Q(decision=""),
                name="library_changerequest_reason",
                violation_error_message=_("A change is declined with a reason."),
            ),
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="library_changerequest_queue")]

    def __str__(self) -> str:
        return f"{self.solution_id} by {self.author_id}"


class Watch(models.Model):
    """Somebody who wants to be told when a solution's text or evidence changes."""

    solution = models.ForeignKey(Solution, models.CASCADE, related_name="watches")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["solution", "user"], name="library_watch_pair")]

    def __str__(self) -> str:
        return f"{self.user_id} watches {self.solution_id}"


class Learning(models.Model):
    """A short statement of what the uses of a solution taught."""

    class State(models.TextChoices):
        TENTATIVE = "tentative", _("Tentative")
        CONFIRMED = "confirmed", _("Confirmed")
        OUTDATED = "outdated", _("Outdated")

    class Origin(models.TextChoices):
        PERSON = "person", _("A colleague")
        PROGRAM = "program", _("A program")
        MODEL = "model", _("A language model")

    solution = models.ForeignKey(Solution, models.CASCADE, related_name="learnings")
    statement = models.CharField(_("what was learnt"), max_length=500)
    statement_fr = models.CharField(_("what was learnt, in French"), max_length=500, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.TENTATIVE)
    origin = models.CharField(_("comes from"), max_length=7, choices=Origin.choices, default=Origin.PERSON)
    author = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("learning")

    def __str__(self) -> str:
        return self.display_statement

    @property
    def display_statement(self) -> str:
        return localised(self.statement, self.statement_fr)


class LearningUse(models.Model):
    """An action that supports a learning or speaks against it, by its id: actions live above the library."""

    learning = models.ForeignKey(Learning, models.CASCADE, related_name="uses")
    action_id = models.CharField(_("action"), max_length=64)
    is_supporting = models.BooleanField(_("supports it"), default=True)
    author = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint("learning", Lower("action_id"), name="library_learninguse_pair")]

    def __str__(self) -> str:
        return f"{self.action_id} on {self.learning_id}"
