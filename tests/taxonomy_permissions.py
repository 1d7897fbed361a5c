"""Who may open what of the vocabulary: pages and collections."""

from apps.accounts.models import ApiToken
from tests.permission_rows import API_LEADS, collection, endpoint, leads, members, page

TAXONOMY_PAGES = [
    page("GET", "taxonomy:challenge-list", members()),
    page("GET", "taxonomy:challenge", members(), "challenge"),
    page("GET", "taxonomy:editor", leads()),
    page("GET", "taxonomy:challenges-under", leads(), "holder"),
    page("GET", "taxonomy:terms", members()),
    page("GET", "taxonomy:challenge-new", leads()),
    page("POST", "taxonomy:challenge-new", leads(422)),
    page("GET", "taxonomy:challenge-edit", leads(), "challenge"),
    page("POST", "taxonomy:challenge-edit", leads(422), "challenge"),
    page("GET", "taxonomy:challenge-move", leads(), "challenge"),
    page("POST", "taxonomy:challenge-move", leads(302), "challenge"),
    page("GET", "taxonomy:challenge-merge", leads(), "challenge"),
    page("POST", "taxonomy:challenge-merge", leads(422), "challenge"),
    page("GET", "taxonomy:challenge-split", leads(), "challenge"),
    page("POST", "taxonomy:challenge-split", leads(422), "challenge"),
    page("GET", "taxonomy:challenge-retire", leads(), "challenge"),
    page("POST", "taxonomy:challenge-retire", leads(302), "challenge"),
    page("GET", "taxonomy:challenge-restore", leads(), "challenge"),
    page("POST", "taxonomy:challenge-restore", leads(422), "challenge"),
    page("POST", "taxonomy:change-undo", leads(302), "vocabulary_change"),
    page("GET", "taxonomy:label-list", leads()),
    page("POST", "taxonomy:label-list", leads(302)),
    page("GET", "taxonomy:acceptance", leads()),
    page("GET", "taxonomy:alias-list", leads()),
    page("GET", "taxonomy:alias-new", leads()),
    page("POST", "taxonomy:alias-new", leads(422)),
    page("GET", "taxonomy:alias", leads(), "alias"),
    page("POST", "taxonomy:alias", leads(422), "alias"),
    page("POST", "taxonomy:alias-remove", leads(302), "alias"),
    page("GET", "taxonomy:journey-list", leads()),
    page("GET", "taxonomy:journey", leads(), "journey"),
    page("POST", "taxonomy:journey", leads(422), "journey"),
]
TAXONOMY_API = [
    *collection("touchpoint", "touchpoint"),
    *collection("journey", "journey"),
    *collection("metric", "metric"),
    *collection("challenge", "challenge"),
    endpoint("POST", "challenge-list", (401, 403, 403, 403, 400, 400), scopes=(ApiToken.Access.WRITE,)),
    *(
        endpoint(
            method,
            f"challenge-{name}",
            (401, 403, 403, 403, status, status),
            "challenge",
            scopes=(ApiToken.Access.WRITE,),
        )
        for method, name, status in (
            ("PATCH", "detail", 200),
            ("POST", "move", 400),
            ("POST", "merge", 400),
            ("POST", "split", 400),
            ("POST", "retire", 200),
            ("POST", "restore", 422),
            ("POST", "undo", 409),
        )
    ),
    *collection("alias", "alias"),
    endpoint("POST", "alias-list", (401, 403, 403, 403, 400, 400), scopes=(ApiToken.Access.WRITE,)),
    endpoint("PATCH", "alias-detail", (401, 403, 403, 403, 400, 400), "alias", scopes=(ApiToken.Access.WRITE,)),
    endpoint("DELETE", "alias-detail", (401, 403, 403, 403, 204, 204), "alias", scopes=(ApiToken.Access.WRITE,)),
    endpoint("GET", "unmapped-label-list", API_LEADS),
    endpoint("GET", "unmapped-label-detail", API_LEADS, "label"),
]
