"""What people can be told about, and how each kind of news reaches them."""

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Topic(models.TextChoices):
    """What a person chooses a delivery for; every kind of notification belongs to one."""

    PLANS = "plans", _("Plans, tasks and check-ins")
    RESULTS = "results", _("Results and evidence")
    IDEAS = "ideas", _("Ideas and calls for ideas")
    LIBRARY = "library", _("Library and taxonomy")
    DATA = "data", pgettext_lazy("topic", "Data and everything else")
    NUDGES = "nudges", _("One thing to do this week")
    DIGEST = "digest", _("Weekly digest")
    GUIDE = "guide", _("First steps on Home")


class Delivery(models.TextChoices):
    AT_ONCE = "at_once", _("by e-mail at once")
    WEEKLY = "weekly", _("in the weekly digest")
    IN_APP = "in_app", _("in the app only")
    OFF = "off", _("not at all")


TOPICS_OF_NEWS = (Topic.PLANS, Topic.RESULTS, Topic.IDEAS, Topic.LIBRARY, Topic.DATA)
# One mail a week unless somebody waits for an answer: silence towards who proposed an idea is the bug.
USUAL = {
    Topic.PLANS: Delivery.WEEKLY,
    Topic.RESULTS: Delivery.WEEKLY,
    Topic.IDEAS: Delivery.AT_ONCE,
    Topic.LIBRARY: Delivery.WEEKLY,
    Topic.DATA: Delivery.WEEKLY,
    Topic.NUDGES: Delivery.AT_ONCE,
    Topic.DIGEST: Delivery.WEEKLY,
    Topic.GUIDE: Delivery.IN_APP,
}
# What is left when somebody asks for no more mails of a topic.
WITHOUT_MAIL = {topic: Delivery.IN_APP if topic in TOPICS_OF_NEWS else Delivery.OFF for topic in Topic}
# What a return brings back after that.
WITH_MAIL = {topic: Delivery.AT_ONCE if topic in TOPICS_OF_NEWS else USUAL[topic] for topic in Topic}

ICONS = {
    Topic.PLANS: "clipboard-check",
    Topic.RESULTS: "flag",
    Topic.IDEAS: "lightbulb",
    Topic.LIBRARY: "library",
    Topic.DATA: "database",
    Topic.NUDGES: "footprints",
    Topic.DIGEST: "mail",
    Topic.GUIDE: "footprints",
}

_BY_APP = {
    "planning": Topic.PLANS,
    "impact": Topic.RESULTS,
    "ideas": Topic.IDEAS,
    "curation": Topic.LIBRARY,
    "library": Topic.LIBRARY,
    "taxonomy": Topic.LIBRARY,
}


def topic_of(kind: str) -> Topic:
    """The topic of a kind such as "ideas.idea.answered", by its first part."""
    if kind.startswith("notifications.nudge"):
        return Topic.NUDGES
    return _BY_APP.get(kind.split(".", 1)[0], Topic.DATA)


def choices_for(topic: Topic) -> list[tuple[str, Promise]]:
    """What a person may choose for a topic, in words."""
    own = {
        Topic.NUDGES: {Delivery.AT_ONCE: _("on Monday, at most one a week"), Delivery.OFF: _("never")},
        Topic.DIGEST: {Delivery.WEEKLY: _("by e-mail on Monday"), Delivery.OFF: _("never")},
        Topic.GUIDE: {Delivery.IN_APP: _("shown"), Delivery.OFF: _("hidden")},
    }.get(topic, {})
    return [(delivery.value, own.get(delivery, delivery.label)) for delivery in deliveries_for(topic)]


def deliveries_for(topic: Topic) -> tuple[Delivery, ...]:
    """What a person may choose for a topic."""
    if topic in TOPICS_OF_NEWS:
        return (Delivery.AT_ONCE, Delivery.WEEKLY, Delivery.IN_APP)
    return (USUAL[topic], Delivery.OFF)
