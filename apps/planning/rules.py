"""What a plan or an action must satisfy, and the message when it does not."""

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils.translation import gettext as _

from apps.accounts.models import Unit
from apps.core.errors import CxplanError
from apps.library.models import Solution
from apps.planning.pilots import plannable_drafts
from apps.taxonomy.models import Challenge

# A later date is almost surely a slip of the keyboard.
PLANNED_AHEAD = timedelta(days=730)
# Memory of dates fades: an older one is asked for twice.
BACKDATED_DAYS = 90


class PlanIncomplete(CxplanError):
    code = "plan_incomplete"


class ChallengeNotCurrent(CxplanError):
    code = "challenge_not_current"


class SolutionNotUsable(CxplanError):
    code = "solution_not_usable"


class DateNotPossible(CxplanError):
    code = "date_not_possible"


class FidelityOutOfRange(CxplanError):
    code = "fidelity_out_of_range"


class ReasonMissing(CxplanError):
    code = "reason_missing"


def require_solutions(solutions: Sequence[Solution], *, retired_too: bool = False) -> None:
    if not solutions:
        raise PlanIncomplete(_("Choose at least one solution."), field="solutions")
    drafts = plannable_drafts(solutions)
    for solution in solutions:
        if solution.status != Solution.Status.PUBLISHED and not retired_too and solution.pk not in drafts:
            raise SolutionNotUsable(
                _("%(solution)s is not in use any more, or not yet. Choose another one.")
                % {"solution": solution.display_title},
                field="solutions",
            )


def require_current(challenge: Challenge) -> None:
    if challenge.merged_into is not None:
        raise ChallengeNotCurrent(
            _("This challenge is now part of “%(challenge)s”. Plan for that one.")
            % {"challenge": challenge.merged_into.display_name},
            field="challenge",
        )
    if challenge.retired_on is not None:
        raise ChallengeNotCurrent(_("This challenge is retired. Choose another one."), field="challenge")


def require_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing(_("Say why in a few words, so that others can learn from it."), field="reason")


def check_effective_on(effective_on: date, *, unit: Unit, as_of: date) -> None:
    if effective_on > as_of + PLANNED_AHEAD:
        raise DateNotPossible(_("This date is more than two years ahead. Check the year."), field="effective_on")
    if unit.opened_on is not None and effective_on < unit.opened_on:
        raise DateNotPossible(
            _("%(unit)s opened later than that. Choose a later date.") % {"unit": unit.display_name},
            field="effective_on",
        )
    if unit.closed_on is not None and effective_on >= unit.closed_on:
        raise DateNotPossible(
            _("%(unit)s was closed by then. Choose an earlier date.") % {"unit": unit.display_name},
            field="effective_on",
        )


def check_period(effective_on: date | None, ended_on: date | None) -> None:
    if ended_on is not None and (effective_on is None or ended_on <= effective_on):
        raise DateNotPossible(_("An action ends after it took effect."), field="ended_on")
