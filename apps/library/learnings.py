"""What the uses of a solution taught, in short statements with the uses for and against each."""

import re

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.library.models import Learning, LearningUse, Solution

_ACTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class LearningNotUsable(CxplanError):
    code = "learning_not_usable"


@transaction.atomic
def add_learning(
    *,
    solution: Solution,
    statement: str,
    statement_fr: str = "",
    origin: str = Learning.Origin.PERSON,
    actor: User | None,
) -> Learning:
    """A statement starts as tentative, whoever makes it. Raises LearningNotUsable."""
    if not statement.strip():
        raise LearningNotUsable(_("Say in a sentence what was learnt."), field="statement")
    learning = Learning.objects.create(
        solution=solution,
        statement=statement.strip(),
        statement_fr=statement_fr.strip(),
        origin=origin,
        author=actor,
    )
    record(
        event="library.learning.added",
        actor=actor,
        subject=learning,
        data={"solution": solution.code, "statement": learning.statement, "origin": origin},
    )
    return learning


@transaction.atomic
def set_learning_state(*, learning: Learning, state: str, actor: User | None) -> Learning:
    """Confirm it, or say that it no longer holds."""
    learning = Learning.objects.select_for_update().get(pk=learning.pk)
    if learning.state != state:
        before, learning.state = learning.state, Learning.State(state)
        learning.save(update_fields=["state", "updated_at"])
        record(
            event="library.learning.judged",
            actor=actor,
            subject=learning,
            data={"before": before, "after": state},
        )
    return learning


@transaction.atomic
def attach_use(*, learning: Learning, action_id: str, is_supporting: bool, actor: User | None) -> LearningUse:
    """A use that speaks for or against it, by the action's id; the same use again changes its side."""
    if not _ACTION.fullmatch(action_id.strip()):
        raise LearningNotUsable(_("This is no id of an action."), field="action_id")
    use = learning.uses.filter(action_id__iexact=action_id.strip()).first()
    if use is None:
        use = LearningUse(learning=learning, action_id=action_id.strip(), author=actor)
    use.is_supporting = is_supporting
    use.save()
    record(
        event="library.learning.use_attached",
        actor=actor,
        subject=learning,
        data={"action": use.action_id, "is_supporting": is_supporting},
    )
    return use
