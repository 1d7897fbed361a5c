"""What can be chosen when searching, with its words."""

from django.utils.translation import gettext_lazy as _

from apps.core.templatetags.cx import COST_WORDS, EVIDENCE_WORDS
from apps.ideas.models import Idea
from apps.search.question import CHALLENGES, IDEAS, SOLUTIONS

WHATS = ((SOLUTIONS, _("Solutions")), (CHALLENGES, _("Challenges")), (IDEAS, _("Ideas")))
ORDERS = (
    ("", _("best match")),
    ("evidence", _("most evidence")),
    ("impact", _("largest effect")),
    ("cost", _("lowest cost")),
    ("speed", _("shows soonest")),
    ("newest", _("newest")),
)
LANGUAGES = (("en", _("English only")), ("fr", _("with French")))
EVIDENCE = tuple((level, EVIDENCE_WORDS[level]) for level in range(5, 0, -1))
COSTS = tuple((level, COST_WORDS[level]) for level in range(1, 6))
STATES = tuple(choice for choice in Idea.State.choices if choice[0] != Idea.State.MERGED)
