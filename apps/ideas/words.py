"""Where an idea stands, what happens next and by when, in plain words."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.formats import short_day
from apps.ideas.models import Idea

State = Idea.State

TONES: Mapping[str, str] = {
    State.NEW: "plain",
    State.IN_REVIEW: "accent",
    State.NEEDS_INFO: "attention",
    State.PILOT: "accent",
    State.IN_LIBRARY: "better",
    State.MERGED: "plain",
    State.DECLINED: "unclear",
}
HEADINGS: Mapping[str, Promise] = {
    State.NEW: gettext_lazy("New ideas"),
    State.IN_REVIEW: gettext_lazy("Being looked at"),
    State.NEEDS_INFO: gettext_lazy("Waiting for the author"),
    State.PILOT: gettext_lazy("Being tried"),
    State.IN_LIBRARY: gettext_lazy("In the library"),
    State.DECLINED: gettext_lazy("Declined ideas"),
}


def standing(idea: Idea, *, at: datetime, pilots: Sequence[str] = ()) -> tuple[str, str]:
    """Where it stands, and what happens next; expects `level`, `merged_into` and `solution` on the row."""
    if idea.hidden_at is not None:
        return _("It is out of sight."), idea.hidden_reason
    if idea.state == State.MERGED and idea.merged_into is not None:
        return _("It was joined with another idea."), _("It goes on as “%(title)s”.") % {
            "title": idea.merged_into.title
        }
    if idea.state == State.DECLINED:
        return _("It was declined."), str(Idea.Reason(idea.decided_reason).label)
    if idea.state == State.IN_LIBRARY:
        return _("It is a solution in the library now."), (
            _("When the effect of its first use is measured, its author is told.")
            if idea.told_effect_at is None
            else _("What its uses changed is measured: see below.")
        )
    return _now(idea, pilots), _next(idea, at=at)


def _now(idea: Idea, pilots: Sequence[str]) -> str:
    unit = idea.level.display_name if idea.level else idea.unit.display_name
    if idea.let_in_at is None:
        return _("It waits until the CX lead of %(unit)s lets it in.") % {"unit": unit}
    if idea.state == State.NEW:
        return _("It waits for the CX lead of %(unit)s to look at it.") % {"unit": unit}
    if idea.state == State.NEEDS_INFO:
        return _("The author is asked something and can answer below.")
    if idea.state == State.PILOT:
        return _("It is being tried in %(units)s.") % {"units": ", ".join(pilots) or unit}
    return _("The CX lead of %(unit)s is looking at it.") % {"unit": unit}


def _next(idea: Idea, *, at: datetime) -> str:
    if idea.due_at is None:
        return ""
    day = short_day(idea.due_at.date(), at.date())
    if idea.due_at < at:
        return _("A decision was due by %(day)s and is late; whoever decides has been reminded.") % {"day": day}
    if idea.let_in_at is None:
        return _("That happens by %(day)s; otherwise it goes one level up.") % {"day": day}
    if idea.state == State.NEEDS_INFO:
        return _("Without an answer by %(day)s it is decided with what is known.") % {"day": day}
    return _("A next step comes by %(day)s; otherwise it goes one level up.") % {"day": day}
