"""Rows of the permission matrix about ideas and calls, and the world they speak of."""

from typing import Any

from django.core.files.base import ContentFile

from apps.accounts.models import Unit
from apps.taxonomy.models import Challenge
from tests.ideas_factories import CallFactory, CommentFactory, IdeaFactory
from tests.permission_rows import (
    API_LEADS,
    API_MEMBERS,
    API_WRITE,
    WRITE,
    collection,
    endpoint,
    leads,
    members,
    page,
)

IDEA_PAGES = [
    page("GET", "ideas:idea-list", members()),
    page("GET", "ideas:idea-new", members()),
    page("POST", "ideas:idea-new", members(422)),
    page("GET", "ideas:guesses", members()),
    page("GET", "ideas:similar", members()),
    page("GET", "ideas:home", members()),
    page("GET", "ideas:board", leads()),
    page("GET", "ideas:moderation", leads()),
    # Ideas are for the whole company to read; those that wait to be let in are not.
    page("GET", "ideas:idea", members(), "idea"),
    page("GET", "ideas:idea", leads(), "held"),
    page("GET", "ideas:idea-edit", leads(), "idea"),
    page("POST", "ideas:idea-edit", leads(422), "idea"),
    page("POST", "ideas:idea-vote", members(302), "idea"),
    page("POST", "ideas:idea-vote", leads(302), "held"),
    page("POST", "ideas:idea-comment", members(422), "idea"),
    page("GET", "ideas:idea-photo", members(), "idea"),
    page("GET", "ideas:idea-photo", leads(), "held"),
    page("POST", "ideas:idea-review", leads(302), "idea"),
    page("GET", "ideas:idea-ask", leads(), "idea"),
    page("POST", "ideas:idea-ask", leads(422), "idea"),
    page("GET", "ideas:idea-pilot", leads(), "idea"),
    page("POST", "ideas:idea-pilot", leads(422), "idea"),
    page("GET", "ideas:idea-decline", leads(), "idea"),
    page("POST", "ideas:idea-decline", leads(422), "idea"),
    page("GET", "ideas:idea-reopen", leads(), "declined"),
    page("POST", "ideas:idea-reopen", leads(422), "declined"),
    page("GET", "ideas:idea-merge", leads(), "idea"),
    page("POST", "ideas:idea-merge", leads(422), "idea"),
    page("POST", "ideas:idea-unmerge", leads(302), "idea"),
    page("GET", "ideas:idea-promote", leads(), "idea"),
    page("POST", "ideas:idea-promote", leads(422), "idea"),
    page("POST", "ideas:idea-publish", leads(302), "idea"),
    page("POST", "ideas:idea-let-in", leads(302), "held"),
    page("GET", "ideas:idea-hide", leads(), "idea"),
    page("POST", "ideas:idea-hide", leads(422), "idea"),
    page("GET", "ideas:comment-report", members(), "comment"),
    page("POST", "ideas:comment-report", members(422), "comment"),
    page("POST", "ideas:comment-let-in", leads(302), "comment"),
    page("GET", "ideas:comment-hide", leads(), "comment"),
    page("POST", "ideas:comment-hide", leads(422), "comment"),
    page("GET", "ideas:call-list", members()),
    page("GET", "ideas:call-new", leads()),
    page("POST", "ideas:call-new", leads(422)),
    page("GET", "ideas:call", members(), "call"),
    page("GET", "ideas:call-change", leads(), "call"),
    page("POST", "ideas:call-change", leads(422), "call"),
    page("POST", "ideas:call-close", leads(302), "call"),
]


def idea_rows(*, unit: Unit, challenge: Challenge) -> dict[str, Any]:
    """Ideas, a comment and a call of `unit`, by the names that the rows use."""
    photo = ContentFile(b"\x89PNG\r\n\x1a\n", name="photo.png")
    idea = IdeaFactory(unit=unit, photo=photo, photo_type="image/png")
    return {
        "idea": idea.pk,
        "held": IdeaFactory(unit=unit, let_in_at=None, photo=photo, photo_type="image/png").pk,
        "declined": IdeaFactory(unit=unit, state="declined", decided_reason="later").pk,
        "comment": CommentFactory(idea=idea).pk,
        "call": CallFactory(unit=unit, challenge=challenge).pk,
    }


IDEA_API = [
    *collection("idea", "idea"),
    endpoint("GET", "idea-detail", (401, 404, 404, 404, 200, 200), "held"),
    # An empty body: a 400 is given to those who may write there.
    endpoint("POST", "idea-list", (401, 400, 400, 400, 400, 400), scopes=WRITE),
    endpoint("PATCH", "idea-detail", (401, 403, 403, 403, 200, 200), "idea", scopes=WRITE),
    endpoint("PUT", "idea-vote", API_MEMBERS, "idea", scopes=WRITE),
    endpoint("DELETE", "idea-vote", API_MEMBERS, "idea", scopes=WRITE),
    endpoint("GET", "idea-comments", API_MEMBERS, "idea"),
    endpoint("POST", "idea-comments", (401, 400, 400, 400, 400, 400), "idea", scopes=WRITE),
    # Decisions are for leads of the unit: an empty body, or a state that does not allow it.
    endpoint("POST", "idea-review", API_LEADS, "idea", scopes=WRITE),
    *(
        endpoint("POST", f"idea-{decision}", API_WRITE, "idea", scopes=WRITE)
        for decision in ("ask", "pilot", "decline", "merge", "hide")
    ),
    endpoint("POST", "idea-reopen", API_WRITE, "declined", scopes=WRITE),
    endpoint("POST", "idea-unmerge", (401, 403, 403, 403, 409, 409), "idea", scopes=WRITE),
    endpoint("POST", "idea-promote", (401, 403, 403, 403, 422, 422), "idea", scopes=WRITE),
    endpoint("POST", "idea-publish", (401, 403, 403, 403, 422, 422), "idea", scopes=WRITE),
    endpoint("POST", "idea-let-in", (401, 404, 404, 404, 200, 200), "held", scopes=WRITE),
    *collection("call", "call"),
]
