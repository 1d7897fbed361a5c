"""Which kinds of files there are, and where each is understood."""

from collections.abc import Mapping

from apps.accounts.imports import PEOPLE, UNITS
from apps.core.staging import ImportKind
from apps.feedback.imports import FEEDBACK
from apps.imports.models import Kind
from apps.library.imports import SOLUTIONS
from apps.planning.imports import ACTIONS, EVENTS
from apps.taxonomy.imports import ALIASES, CHALLENGES, METRICS, TOUCHPOINTS

KINDS: Mapping[str, ImportKind] = {
    Kind.UNITS: UNITS,
    Kind.TOUCHPOINTS: TOUCHPOINTS,
    Kind.METRICS: METRICS,
    Kind.CHALLENGES: CHALLENGES,
    Kind.ALIASES: ALIASES,
    Kind.SOLUTIONS: SOLUTIONS,
    Kind.FEEDBACK: FEEDBACK,
    Kind.ACTIONS: ACTIONS,
    Kind.PEOPLE: PEOPLE,
    Kind.EVENTS: EVENTS,
}
