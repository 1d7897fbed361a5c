"""The story of an action in plain words, told from its audit rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import AuditEvent
from apps.library.models import Solution
from apps.planning.models import Action, CheckIn, DrawnUnit
from apps.planning.selectors import day

SENTENCES = {
    "drafted": gettext_lazy("started a plan"),
    "planned": gettext_lazy("planned it"),
    "changed": gettext_lazy("changed the plan"),
    "applied": gettext_lazy("put it in place"),
    "undone": gettext_lazy("took the application back"),
    "logged": gettext_lazy("noted what had been done"),
    "imported": gettext_lazy("brought it in from a file"),
    "corrected": gettext_lazy("corrected it"),
    "sustained": gettext_lazy("kept it as the standard"),
    "stopped": gettext_lazy("stopped it"),
    "task_added": gettext_lazy("added a task"),
    "task_changed": gettext_lazy("changed a task"),
    "task_moved": gettext_lazy("moved a task"),
    "task_done": gettext_lazy("finished a task"),
    "task_reopened": gettext_lazy("took a task up again"),
    "task_removed": gettext_lazy("removed a task"),
    "checked_in": gettext_lazy("checked in"),
    "proof_added": gettext_lazy("added a proof"),
    "proof_removed": gettext_lazy("removed a proof"),
    "put_off": gettext_lazy("put it off"),
    "drawn": gettext_lazy("drew its start by lot"),
    "mark_withheld": gettext_lazy("no longer counts it as drawn by lot"),
    "mark_given_back": gettext_lazy("counts it as drawn by lot again"),
    "handed_over": gettext_lazy("handed it over"),
}
LABELS = {
    "planned_on": gettext_lazy("Planned for"),
    "effective_on": gettext_lazy("In effect since"),
    "ended_on": gettext_lazy("Ended on"),
    "challenge": gettext_lazy("Challenge"),
    "target_metric": gettext_lazy("Measured on"),
    "owner": gettext_lazy("Owner"),
    "cost": gettext_lazy("Actual cost"),
    "note": gettext_lazy("Note"),
    "intention": gettext_lazy("When, where and how exactly"),
    "intended_effect": gettext_lazy("Effect worth having"),
    "solutions": gettext_lazy("Solutions"),
    "events": gettext_lazy("Events"),
    "tasks": gettext_lazy("Tasks"),
    "task": gettext_lazy("Task"),
    "title": gettext_lazy("Task"),
    "assignee": gettext_lazy("Assigned to"),
    "due_on": gettext_lazy("Due on"),
    "happening": gettext_lazy("Is it happening?"),
    "working": gettext_lazy("Is it working?"),
    "obstacle": gettext_lazy("What is in the way?"),
    "occasion": gettext_lazy("When exactly"),
    "place": gettext_lazy("Where exactly"),
    "rhythm_weeks": gettext_lazy("Weeks between check-ins"),
    "unit": gettext_lazy("Unit"),
}
# What is recorded by its code, and the words for it.
CHOICES: Mapping[str, type[TextChoices]] = {
    "happening": CheckIn.Happening,
    "working": CheckIn.Working,
    "obstacle": CheckIn.Obstacle,
    "reason": DrawnUnit.Breach,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Who did what and when; `facts` are what was recorded, `changes` what differs from before."""

    at: datetime
    who: str
    what: str
    reason: str
    facts: tuple[str, ...]
    changes: tuple[Change, ...]


def history(action: Action) -> list[Entry]:
    """The newest entry first."""
    rows = list(AuditEvent.objects.about(action).select_related("actor").order_by("-at", "-pk"))
    codes = {code for row in rows for code in _codes_in(row.data)}
    titles = {solution.code: solution.display_title for solution in Solution.objects.filter(code__in=codes)}
    return [_entry(row, titles) for row in rows]


def _codes_in(data: Mapping[str, Any]) -> Iterator[str]:
    """The codes of all solutions an audit row names, old and new."""
    for part in (data, data.get("before") or {}, data.get("after") or {}):
        for item in part.get("solutions") or []:
            yield item["code"] if isinstance(item, Mapping) else str(item)


def _entry(row: AuditEvent, titles: Mapping[str, str]) -> Entry:
    data: Mapping[str, Any] = row.data
    what = SENTENCES.get(row.event.rpartition(".")[2])
    before, after = data.get("before") or {}, data.get("after") or {}
    return Entry(
        at=row.at,
        who=str(row.actor or _("The system")),
        what=str(what or _("changed it")),
        reason=_worded("reason", data.get("reason") or ""),
        facts=_facts(data, titles),
        changes=tuple(
            Change(
                label=str(LABELS.get(name, name)),
                before=_said(_worded(name, before.get(name)), titles),
                after=_said(_worded(name, after.get(name)), titles),
            )
            for name in after
        ),
    )


def _facts(data: Mapping[str, Any], titles: Mapping[str, str]) -> tuple[str, ...]:
    told = ("planned_on", "effective_on", "ended_on", "solutions", "task", "happening", "working", "obstacle")
    return tuple(
        _("%(label)s: %(value)s") % {"label": LABELS[name], "value": _said(_worded(name, data[name]), titles)}
        for name in told
        if data.get(name)
    )


def _worded(name: str, value: Any) -> Any:
    """The words for what was chosen; anything else as it was recorded."""
    choices = CHOICES.get(name)
    return str(choices(value).label) if choices is not None and value in choices.values else value


def _said(value: object, titles: Mapping[str, str]) -> str:
    """A recorded value as people would say it."""
    if value in (None, "", []):
        return "—"
    if isinstance(value, list):
        return ", ".join(_said_solution(item, titles) for item in value)
    try:
        return day(date.fromisoformat(str(value)))
    except ValueError:
        return str(value)


def _said_solution(item: object, titles: Mapping[str, str]) -> str:
    if not isinstance(item, Mapping):
        return titles.get(str(item), str(item))
    code = str(item.get("code"))
    said = _("%(solution)s (version %(version)s)") % {
        "solution": titles.get(code, code),
        "version": item.get("version"),
    }
    if item.get("fidelity") is not None:
        said += " " + _("done to %(fidelity)s %%") % {"fidelity": item["fidelity"]}
    return said
