"""What the page of a solution tells: its recipe in the reader's language, its history and who cares for it."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Prefetch, Q
from django.db.models.functions import Lower
from django.utils import translation
from django.utils.safestring import SafeString

from apps.accounts.models import User
from apps.library.care import is_due
from apps.library.models import (
    ChangeRequest,
    Learning,
    LearningUse,
    Playbook,
    Solution,
    SolutionLink,
    SolutionVersion,
    Status,
    Watch,
)
from apps.library.recipes import recipe_html
from apps.library.texts import LABELS, LANGUAGES, MAIN_LANGUAGE, NAMES, PARTS, RecipeText

VERSIONS_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a recipe; `language` is set when it is not in the reader's own."""

    name: str
    label: str
    html: SafeString
    source: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A text as one person reads it: their language where it is given, the main one elsewhere."""

    title: str
    summary: str
    parts: tuple[Part, ...]
    other_language: str

    @property
    def other_label(self) -> str:
        return str(LANGUAGES[self.other_language]) if self.other_language else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredChallenge:
    pk: int
    code: str
    name: str
    rationale: str
    is_seen_in_use: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    number: int
    title: str
    created_on: date
    author: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    pk: int
    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UseRow:
    action_id: str
    is_supporting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningRow:
    pk: int
    statement: str
    state: str
    state_label: str
    origin_label: str
    author: str
    created_on: date
    supporting: tuple[UseRow, ...]
    contradicting: tuple[UseRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionPage:
    """A solution with its newest text, the challenges it answers and its versions, the newest first."""

    pk: int
    code: str
    title: str
    wording: Wording
    kind_label: str
    origin_label: str
    status: str
    # Code and title of the one that stands for it since both were joined.
    replaced_by: tuple[str, str] | None
    cost: int | None
    effort_hours: Decimal | None
    lag_days: int
    links: tuple[tuple[str, str], ...]
    source: str
    external_ref: str
    author: str
    owner: str
    owner_email: str
    reviewed_on: date | None
    review_due_on: date | None
    is_review_due: bool
    languages: tuple[str, ...]
    challenges: tuple[AnsweredChallenge, ...]
    versions: tuple[VersionRow, ...]
    version_count: int
    files: tuple[FileRow, ...]
    playbooks: tuple[tuple[str, str], ...]
    learnings: tuple[LearningRow, ...]
    open_request_count: int
    is_watched: bool
    updated_at: datetime

    @property
    def is_retired(self) -> bool:
        return self.status == Status.RETIRED

    @property
    def is_draft(self) -> bool:
        return self.status == Status.DRAFT


def solution_page(code: str, *, reader: User, as_of: date) -> SolutionPage | None:
    """A solution by its code, also a retired one, in a constant number of queries."""
    solution = Solution.objects.select_related("author", "owner", "replaced_by").filter(code__iexact=code).first()
    if solution is None:
        return None
    history = list(
        SolutionVersion.objects.filter(solution=solution)
        .select_related("author")
        .only("number", "title", "created_at", "note", "author__name", "author__email")
        .order_by("-number")
    )
    newest = solution.versions.prefetch_related("translations").order_by("-number").first()
    playbooks = Playbook.objects.published().filter(steps__solution=solution).order_by(Lower("title"), "pk")
    return SolutionPage(
        pk=solution.pk,
        code=solution.code,
        title=solution.display_title,
        wording=wording_of(newest, fallback=solution),
        kind_label=solution.get_kind_display(),
        origin_label=solution.get_origin_display(),
        status=solution.status,
        replaced_by=_standing(solution),
        cost=solution.cost,
        effort_hours=solution.effort_hours,
        lag_days=solution.lag_days,
        links=_links(solution),
        source=solution.source,
        external_ref=solution.external_ref,
        author=str(solution.author or ""),
        owner=str(solution.owner or ""),
        owner_email=solution.owner.email if solution.owner else "",
        reviewed_on=solution.reviewed_on,
        review_due_on=solution.review_due_on,
        is_review_due=is_due(solution, as_of=as_of),
        languages=tuple(str(LANGUAGES[language]) for language in languages_of(newest)),
        challenges=answered(solution),
        versions=tuple(_version_row(version) for version in history[:VERSIONS_SHOWN]),
        version_count=len(history),
        files=tuple(
            FileRow(pk=file.pk, name=file.name, size=file.size)
            for file in solution.files.order_by(Lower("name"), "pk")
        ),
        playbooks=tuple((playbook.code, playbook.display_title) for playbook in playbooks),
        learnings=_learnings(solution),
        open_request_count=solution.change_requests.filter(state=ChangeRequest.State.OPEN).count(),
        is_watched=Watch.objects.filter(solution=solution, user=reader).exists(),
        updated_at=solution.updated_at,
    )


def _standing(solution: Solution) -> tuple[str, str] | None:
    other = solution.replaced_by
    return (other.code, other.display_title) if other is not None else None


def answered(solution: Solution) -> tuple[AnsweredChallenge, ...]:
    """The challenges it is linked to, by the one that stands for each; those somebody vouched for come first."""
    links = (
        SolutionLink.objects.filter(solution=solution)
        .filter(
            Q(challenge__merged_into=None, challenge__retired_on=None)
            | Q(challenge__merged_into__isnull=False, challenge__merged_into__retired_on=None)
        )
        .select_related("challenge__merged_into")
        .order_by("is_seen_in_use", Lower("challenge__name"), "pk")
    )
    standing: dict[int, SolutionLink] = {}
    for link in links:
        standing.setdefault(link.challenge.standing.pk, link)
    return tuple(
        AnsweredChallenge(
            pk=link.pk,
            code=link.challenge.standing.code,
            name=link.challenge.standing.display_name,
            rationale=link.rationale,
            is_seen_in_use=link.is_seen_in_use,
        )
        for link in standing.values()
    )


def wording_of(version: SolutionVersion | None, *, fallback: Solution) -> Wording:
    """The version in the active language; expects its translations prefetched."""
    if version is None:
        return Wording(title=fallback.display_title, summary=fallback.display_summary, parts=(), other_language="")
    reader = (translation.get_language() or MAIN_LANGUAGE)[:2]
    own = text_in(version, reader)
    main = version.text
    parts = []
    for name in PARTS:
        words, language = getattr(own, name), ""
        if not words and reader != MAIN_LANGUAGE:
            words, language = getattr(main, name), MAIN_LANGUAGE
        if words:
            parts.append(
                Part(
                    name=name,
                    label=str(LABELS[name]),
                    html=recipe_html(words),
                    source=words,
                    language=language,
                )
            )
    is_foreign = bool(parts) and all(part.language for part in parts)
    return Wording(
        title=own.title or (fallback.display_title if version.title == fallback.title else main.title),
        summary=own.summary or main.summary,
        parts=tuple(parts),
        other_language=MAIN_LANGUAGE if is_foreign else "",
    )


def text_in(version: SolutionVersion, language: str) -> RecipeText:
    """The words in one language, empty where it has none."""
    if language == MAIN_LANGUAGE:
        return version.text
    return next((one.text for one in version.translations.all() if one.language == language), RecipeText())


def languages_of(version: SolutionVersion | None) -> list[str]:
    """The languages in which there is a recipe."""
    if version is None:
        return []
    told = [one.language for one in version.translations.all() if any(getattr(one, name) for name in NAMES[1:])]
    return [MAIN_LANGUAGE, *sorted(told)]


def _links(solution: Solution) -> tuple[tuple[str, str], ...]:
    more = solution.web_links.order_by("position", "pk").values_list("url", "label")
    first = [(solution.url, solution.url)] if solution.url else []
    return (*first, *((url, label or url) for url, label in more))


def _version_row(version: SolutionVersion) -> VersionRow:
    return VersionRow(
        number=version.number,
        title=version.title,
        created_on=version.created_at.date(),
        author=str(version.author or ""),
        note=version.note,
    )


def _learnings(solution: Solution) -> tuple[LearningRow, ...]:
    rows = (
        Learning.objects.filter(solution=solution)
        .select_related("author")
        .prefetch_related(Prefetch("uses", LearningUse.objects.order_by("action_id")))
        .order_by("state", "-created_at")
    )
    return tuple(
        LearningRow(
            pk=row.pk,
            statement=row.display_statement,
            state=row.state,
            state_label=row.get_state_display(),
            origin_label=row.get_origin_display(),
            author=str(row.author or ""),
            created_on=row.created_at.date(),
            supporting=_uses(row, is_supporting=True),
            contradicting=_uses(row, is_supporting=False),
        )
        for row in rows
    )


def _uses(learning: Learning, *, is_supporting: bool) -> tuple[UseRow, ...]:
    return tuple(
        UseRow(action_id=use.action_id, is_supporting=use.is_supporting)
        for use in learning.uses.all()
        if use.is_supporting is is_supporting
    )
