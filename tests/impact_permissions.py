"""Who may open what of impact."""

from tests.permission_rows import (
    API_IN_SCOPE,
    WRITE,
    collection,
    endpoint,
    in_scope,
    leads,
    managers_in_scope,
    members,
    page,
)

SAID_NO = {"unit": "LILLE", "solution": "greeter", "reason": "tried"}
IMPACT_PAGES = [
    page("GET", "impact:focus", members()),
    page("GET", "impact:learn", leads()),
    page("GET", "impact:challenge-ranking", members(), "challenge"),
    page("GET", "impact:recommended", members(), "challenge"),
    page("GET", "impact:recommended", in_scope(), "challenge", query="?unit=LILLE"),
    page("POST", "impact:dismiss", managers_in_scope(302), "challenge", data=SAID_NO),
    page("GET", "impact:solution-evidence", members(), "solution"),
    page("GET", "impact:action-effect", in_scope(), "action"),
    page("GET", "impact:action-weeks", in_scope(), "action"),
    page("GET", "impact:readings", in_scope(), "action"),
    page("POST", "impact:reading-write", managers_in_scope(302), "action"),
    page("POST", "impact:reading-settle", leads(302), "reading"),
    page("GET", "impact:methods", members()),
    page("GET", "impact:methods-reference", members()),
    page("GET", "impact:checks", leads()),
    page("GET", "impact:calibration", leads()),
    page("GET", "impact:chance", in_scope(), query="?unit=LILLE&metric=csat"),
    page("GET", "impact:chance", in_scope(), "plan"),
    page("GET", "impact:rollout-chance", in_scope(), query="?unit=LILLE&metric=csat"),
]
IMPACT_API = [
    *collection("reading", "reading", API_IN_SCOPE),
    endpoint("POST", "reading-list", (401, 403, 400, 400, 400, 400), scopes=WRITE),
    endpoint("PATCH", "reading-detail", (401, 403, 404, 404, 400, 400), "reading", scopes=WRITE),
]
