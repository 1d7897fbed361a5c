"""Changes to playbooks: several solutions meant to be applied together."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.library.models import Playbook, PlaybookSolution, Solution, Status

SOLUTIONS_MIN, SOLUTIONS_MAX = 2, 20


class PlaybookNotUsable(CxplanError):
    code = "playbook_not_usable"


class PlaybookChanged(CxplanError):
    code = "edit_conflict"


class PlaybookWords(TypedDict, total=False):
    title: str
    title_fr: str
    rationale: str
    rationale_fr: str


# A solution and its part in the whole, in the order in which they are put in place.
Steps = Sequence[tuple[Solution, str]]


@transaction.atomic
def create_playbook(
    *, words: PlaybookWords, steps: Steps, code: str = "", status: str = Status.DRAFT, actor: User | None
) -> Playbook:
    """Raises PlaybookNotUsable."""
    if code and Playbook.objects.filter(code__iexact=code).exists():
        raise PlaybookNotUsable(_("There is a playbook %(code)s already.") % {"code": code}, field="code")
    playbook = Playbook(code=code or _free_code(words.get("title", "")), status=status, author=actor)
    _set_words(playbook, words)
    playbook.save()
    _set_steps(playbook, steps)
    record(
        event="library.playbook.created",
        actor=actor,
        subject=playbook,
        data={"code": playbook.code, "status": status, "solutions": [one.code for one, _note in steps]},
    )
    return playbook


@transaction.atomic
def revise_playbook(
    *,
    playbook: Playbook,
    words: PlaybookWords,
    steps: Steps | None = None,
    actor: User | None,
    seen_at: datetime | None = None,
) -> Playbook:
    """Raises PlaybookNotUsable, PlaybookChanged."""
    playbook = Playbook.objects.select_for_update().get(pk=playbook.pk)
    if seen_at is not None and playbook.updated_at != seen_at:
        raise PlaybookChanged(
            _(
                "Somebody changed this playbook after you opened it. "
                "Your entries are still here: compare, then save again."
            )
        )
    _set_words(playbook, words)
    playbook.save()
    if steps is not None:
        playbook.steps.all().delete()
        _set_steps(playbook, steps)
    record(
        event="library.playbook.revised",
        actor=actor,
        subject=playbook,
        data={"code": playbook.code, **words, "solutions": [one.code for one, _note in steps or ()]},
    )
    return playbook


@transaction.atomic
def set_playbook_status(*, playbook: Playbook, status: Status, actor: User | None) -> Playbook:
    """Publish or retire it; nothing happens when it is so already."""
    playbook = Playbook.objects.select_for_update().get(pk=playbook.pk)
    if playbook.status != status:
        before, playbook.status = playbook.status, status
        playbook.save(update_fields=["status", "updated_at"])
        record(
            event=f"library.playbook.{status.value}",
            actor=actor,
            subject=playbook,
            data={"code": playbook.code, "before": before},
        )
    return playbook


def _set_words(playbook: Playbook, words: PlaybookWords) -> None:
    for name, value in words.items():
        setattr(playbook, name, str(value).strip())
    if not playbook.title:
        raise PlaybookNotUsable(_("A playbook needs a title."), field="title")


def _set_steps(playbook: Playbook, steps: Steps) -> None:
    wanted = list({solution.pk: (solution, note) for solution, note in steps}.values())
    if not SOLUTIONS_MIN <= len(wanted) <= SOLUTIONS_MAX:
        raise PlaybookNotUsable(
            _("Choose %(least)d to %(most)d solutions.") % {"least": SOLUTIONS_MIN, "most": SOLUTIONS_MAX},
            field="solutions",
        )
    PlaybookSolution.objects.bulk_create(
        [
            PlaybookSolution(playbook=playbook, solution=solution, position=position, note=note.strip()[:300])
            for position, (solution, note) in enumerate(wanted, 1)
        ]
    )


def _free_code(title: str) -> str:
    stem = slugify(title)[:40].strip("-_") or "playbook"
    taken = {
        code.lower() for code in Playbook.objects.filter(code__istartswith=stem).values_list("code", flat=True)
    }
    number, code = 1, stem
    while code in taken:
        number += 1
        code = f"{stem}-{number}"
    return code
