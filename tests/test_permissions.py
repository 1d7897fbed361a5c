"""Who may open what: every address, every method and every role, without exception.

Each row of ROUTES says what each of ROLES gets. A new address, or a new method of one, fails
`test_every_address_and_method_is_in_the_table` until it has a row.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.accounts.models import ApiToken
from apps.accounts.services import create_token
from apps.notifications.links import unsubscribe_url
from apps.notifications.topics import Topic
from apps.planning.feeds import renew_feed
from tests.curation_factories import LookAlikeFactory, SolutionAliasFactory, UnmappedSolutionFactory
from tests.factories import (
    ActionFactory,
    ActionSolutionFactory,
    AliasFactory,
    ApiTokenFactory,
    AuditEventFactory,
    ChallengeFactory,
    EffectFactory,
    EventFactory,
    ImportBatchFactory,
    MetricFactory,
    PlanFactory,
    RankedSolutionFactory,
    ResponseFactory,
    RunFactory,
    SolutionClaimFactory,
    SolutionLinkFactory,
    SolutionVersionFactory,
)
from tests.idea_permissions import IDEA_API, IDEA_PAGES, idea_rows
from tests.impact_factories import ReadingFactory
from tests.impact_permissions import IMPACT_API, IMPACT_PAGES
from tests.library_factories import ChangeRequestFactory, LearningFactory, PlaybookFactory, SolutionFileFactory
from tests.library_permissions import LIBRARY_API, LIBRARY_PAGES
from tests.notification_factories import MailFactory, NotificationFactory
from tests.permission_rows import (
    API_IN_SCOPE,
    API_LEADS,
    API_MEMBERS,
    API_WRITE,
    ROLES,
    SIGN_IN,
    WRITE,
    Route,
    collection,
    endpoint,
    everybody,
    in_scope,
    leads,
    managers,
    managers_in_scope,
    members,
    page,
)
from tests.planning_factories import CheckInFactory, DrawFactory, ProofFactory, ReadyItemFactory, TaskFactory
from tests.planning_permissions import PLANNING_API, PLANNING_PAGES
from tests.taxonomy_factories import UnmappedLabelFactory
from tests.taxonomy_permissions import TAXONOMY_API, TAXONOMY_PAGES

pytestmark = pytest.mark.django_db

PUBLIC = [
    page("GET", "healthz", everybody()),
    page("GET", "readyz", everybody()),
    page("GET", "accounts:sign-in", (200, 302, 302, 302, 302, 302)),
    page("POST", "accounts:sign-in", (422, 302, 302, 302, 302, 302)),
    page("POST", "accounts:sign-out", (SIGN_IN,) * 6),
    # The signed link of a mail is the permission, for whoever holds it.
    page("GET", "planning:feed", everybody(), "calendar_secret"),
    page("GET", "notifications:unsubscribe", everybody(), "unsubscribe_token"),
    page("POST", "notifications:unsubscribe", everybody(), "unsubscribe_token"),
    page("POST", "notifications:resubscribe", everybody(), "unsubscribe_token"),
]
PAGES = [
    *PLANNING_PAGES,
    *IMPACT_PAGES,
    page("GET", "home", members()),
    page("GET", "digest", members()),
    page("GET", "search:search", members()),
    page("GET", "solution-strips", members()),
    page("GET", "measuring", leads()),
    page("GET", "accounts:settings", members()),
    page("POST", "accounts:settings", members(422)),
    page("POST", "accounts:token-new", members(422)),
    page("POST", "accounts:token-revoke", (SIGN_IN, 404, 302, 404, 404, 404), "token"),
    page("GET", "accounts:unit-list", leads()),
    page("GET", "accounts:unit", leads(), "unit_code"),
    page("POST", "accounts:unit-change", leads(422), "unit_code", "unit_step"),
    page("GET", "accounts:choose-unit", members()),
    page("GET", "accounts:unit-offers", members()),
    page("POST", "accounts:choose-unit", in_scope(302), data={"unit": "LILLE"}),
    page("GET", "notifications:notification-list", members()),
    page("POST", "notifications:notifications-read", members(302)),
    page("GET", "notifications:notification", (SIGN_IN, 404, 302, 404, 404, 404), "notification"),
    page("POST", "notifications:notification-read", (SIGN_IN, 404, 302, 404, 404, 404), "notification"),
    page("GET", "notifications:preferences", members()),
    page("POST", "notifications:preferences", members(422)),
    page("POST", "notifications:guide-hide", managers(302)),
    page("GET", "notifications:mail-list", leads()),
    page("POST", "notifications:mails-retry", leads(302)),
    page("POST", "notifications:mail-retry", leads(302), "mail"),
    page("POST", "notifications:results-seen", in_scope(204), "unit"),
    page("POST", "notifications:conversation-open", managers_in_scope(302), "unit"),
    page("POST", "notifications:conversation-end", managers_in_scope(302), "unit"),
    page("GET", "feedback:unit-chosen", members(302)),
    page("GET", "feedback:unit", in_scope(), "unit"),
    page("GET", "feedback:unit-metric", in_scope(), "unit", "metric"),
    page("GET", "imports:batch-list", leads()),
    page("GET", "imports:batch-new", leads()),
    page("POST", "imports:batch-new", leads(422)),
    page("GET", "imports:batch", leads(), "batch"),
    page("GET", "imports:batch-rejects", leads(), "batch"),
    page("GET", "api-docs", members()),
]
API = [
    *PLANNING_API,
    *IMPACT_API,
    *collection("unit", "unit", API_IN_SCOPE),
    *(
        endpoint("POST", f"unit-{change}", API_WRITE, "unit", scopes=WRITE)
        for change in ("rename", "move", "merge", "split", "close")
    ),
    endpoint("POST", "unit-reopen", (401, 403, 403, 403, 422, 422), "unit", scopes=WRITE),
    *collection("action", "action", API_IN_SCOPE),
    # An empty body: a 400 is given to those who may write there.
    endpoint("POST", "action-list", (401, 403, 400, 400, 400, 400), scopes=(ApiToken.Access.WRITE,)),
    endpoint("PATCH", "action-detail", (401, 403, 200, 404, 200, 200), "action", scopes=(ApiToken.Access.WRITE,)),
    *collection("event", "event", API_IN_SCOPE),
    *collection("response", "response", API_IN_SCOPE),
    *collection("effect", "effect", API_IN_SCOPE),
    endpoint("GET", "effect-weeks", API_IN_SCOPE, "effect"),
    *collection("ranking", "ranking"),
    endpoint("GET", "ranking-pairs", API_MEMBERS, "ranking"),
    endpoint("GET", "check-list", API_LEADS),
    endpoint("GET", "check-detail", API_LEADS, "run"),
    endpoint("GET", "claim-list", API_LEADS),
    endpoint("GET", "claim-detail", API_LEADS, "claim"),
    endpoint("GET", "import-list", API_LEADS, scopes=(ApiToken.Access.READ, ApiToken.Access.IMPORT)),
    endpoint("POST", "import-list", (401, 403, 403, 403, 415, 415), scopes=(ApiToken.Access.IMPORT,)),
    endpoint("GET", "import-detail", API_LEADS, "batch", scopes=(ApiToken.Access.READ, ApiToken.Access.IMPORT)),
    endpoint("GET", "import-rejects", API_LEADS, "batch", scopes=(ApiToken.Access.READ, ApiToken.Access.IMPORT)),
    endpoint("GET", "notification-list", API_MEMBERS),
    endpoint("GET", "notification-detail", (401, 404, 200, 404, 404, 404), "notification"),
    endpoint(
        "PATCH",
        "notification-detail",
        (401, 404, 400, 404, 404, 404),
        "notification",
        scopes=(ApiToken.Access.WRITE,),
    ),
    endpoint("GET", "preference-list", API_MEMBERS),
    endpoint(
        "PATCH", "preference-detail", (401, 400, 400, 400, 400, 400), "topic", scopes=(ApiToken.Access.WRITE,)
    ),
    # What the API looks like is no secret of a unit: any token reads it.
    endpoint("GET", "api-schema", API_MEMBERS, scopes=tuple(ApiToken.Access.values)),
    *(
        Route(method=method, name="api-unknown", statuses=everybody(404), scopes=tuple(ApiToken.Access.values))
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    ),
]
PAGES += [*IDEA_PAGES, *LIBRARY_PAGES, *TAXONOMY_PAGES]
API += [*IDEA_API, *LIBRARY_API, *TAXONOMY_API]
ROUTES = [*PUBLIC, *PAGES, *API]


@pytest.fixture
def world(chain, manager, lead, staff) -> SimpleNamespace:
    """A row of everything, in LILLE where it has a place."""
    metric = MetricFactory(code="csat")
    challenge = ChallengeFactory(code="queue", metric=metric)
    version = SolutionVersionFactory(solution__code="greeter")
    SolutionLinkFactory(challenge=challenge, solution=version.solution)
    plan = PlanFactory(challenge=challenge)
    plan.solutions.add(version.solution)
    action = ActionFactory(external_id="A-1", unit=chain.lille, challenge=challenge, plan=plan)
    ActionSolutionFactory(action=action, version=version)
    ActionFactory(
        external_id="P-1", unit=chain.lille, challenge=challenge, plan=plan, state="planned", effective_on=None
    )
    draft = SolutionVersionFactory(solution__code="draft", solution__status="draft").solution
    draft_plan = PlanFactory(challenge=challenge, stage="agree")
    ActionFactory(unit=chain.lille, challenge=challenge, plan=draft_plan, state="draft", effective_on=None)
    rejects = ContentFile(b"line,message\n", name="rejects.csv")
    return SimpleNamespace(
        **idea_rows(unit=chain.lille, challenge=challenge),
        unit="LILLE",
        touchpoint=metric.touchpoint.code,
        journey=metric.journey.code,
        metric="csat",
        challenge="queue",
        label=UnmappedLabelFactory().pk,
        holder=ChallengeFactory(parent=ChallengeFactory(code="holder", metric=None), metric=metric).parent.code,
        vocabulary_change=AuditEventFactory(event="taxonomy.challenge.changed").pk,
        alias=AliasFactory(challenge=challenge).pk,
        solution="greeter",
        draft="draft",
        look_alike=LookAlikeFactory().pk,
        solution_alias=SolutionAliasFactory(solution=version.solution).pk,
        solution_label=UnmappedSolutionFactory(pk=1).pk,
        pack="clinic",
        number=1,
        file=SolutionFileFactory(solution=version.solution).pk,
        draft_file=SolutionFileFactory(solution=draft).pk,
        learning=LearningFactory(solution=version.solution).pk,
        change_request=ChangeRequestFactory(version=version, author=staff).pk,
        playbook=PlaybookFactory(code="together").code,
        playbook_draft=PlaybookFactory(code="half", status="draft").code,
        plan=plan.pk,
        draft_plan=draft_plan.pk,
        drawn_plan=DrawFactory(plan=plan).plan.pk,
        task=TaskFactory(action=action).pk,
        check_in=CheckInFactory(action=action).pk,
        proof=ProofFactory(action=action).pk,
        ready_item=ReadyItemFactory().pk,
        action="A-1",
        planned="P-1",
        event=EventFactory(unit=chain.lille).pk,
        response=ResponseFactory(unit=chain.lille).pk,
        effect=EffectFactory(action=action).pk,
        ranking=RankedSolutionFactory(challenge=challenge, solution=version.solution).pk,
        run=RunFactory(metric=metric).pk,
        reading=ReadingFactory(action=action).pk,
        claim=SolutionClaimFactory(solution=version.solution, metric=metric).pk,
        batch=ImportBatchFactory(actor=lead, rejects=rejects).pk,
        token=ApiTokenFactory(user=manager).pk,
        topic="ideas",
        unit_code=chain.lille.code,
        unit_step="move",
        calendar_secret=renew_feed(user=manager, actor=manager),
        mail=MailFactory(state="failed").pk,
        notification=NotificationFactory(user=manager).pk,
        unsubscribe_token=unsubscribe_url(user_id=manager.pk, topic=Topic.IDEAS).rstrip("/").rpartition("/")[2],
    )


def call(client: Client, route: Route, world: SimpleNamespace, **headers: str) -> Any:
    address = reverse(route.name, args=[getattr(world, name) for name in route.args])
    options: dict[str, Any] = {"headers": headers}
    if route.scopes and route.method != "GET":
        options |= {"data": "{}", "content_type": "application/json"}
    elif route.method == "POST":
        # Not empty: a form without any data would not count as sent.
        options["data"] = route.data or {"nothing": "of use"}
    # What a call changes is taken back: every row meets the same world.
    point = transaction.savepoint()
    try:
        return getattr(client, route.method.lower())(f"{address}{route.query}", **options)
    finally:
        transaction.savepoint_rollback(point)


def answer_of(response: Any) -> int | str:
    is_redirect = response.status_code == 302
    return SIGN_IN if is_redirect and response["Location"].startswith("/sign-in/") else response.status_code


def mismatches(
    routes: list[Route], send: Callable[[Route], Any], wanted: Callable[[Route], int | str]
) -> list[str]:
    wrong = []
    for route in routes:
        got = answer_of(send(route))
        if got != wanted(route):
            wrong.append(f"{route} {' '.join(route.args)}: {got} instead of {wanted(route)}")
    return wrong


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_the_table_says(role, world, request):
    user = None if role == "anonymous" else request.getfixturevalue(role)
    client = Client(raise_request_exception=False)
    place = ROLES.index(role)

    def send(route: Route) -> Any:
        if user is not None:
            client.force_login(user)
        return call(client, route, world)

    assert mismatches(ROUTES, send, lambda route: route.statuses[place]) == []


@pytest.mark.parametrize("role", ROLES[1:])
def test_a_token_opens_what_its_person_may_and_no_page(role, world, request):
    user = request.getfixturevalue(role)
    _, secret = create_token(user=user, name="all", scopes=ApiToken.Access.values, expires_at=None, actor=user)
    client, place = Client(raise_request_exception=False), ROLES.index(role)

    def send(route: Route) -> Any:
        return call(client, route, world, Authorization=f"Bearer {secret}")

    assert mismatches(API, send, lambda route: route.statuses[place]) == []
    assert mismatches(PAGES, send, lambda route: SIGN_IN) == []


def test_a_token_without_the_scope_is_refused(world, admin_user):
    client = Client(raise_request_exception=False)
    for route in API:
        others = [scope for scope in ApiToken.Access.values if scope not in route.scopes]
        if not others:
            continue
        _, secret = create_token(user=admin_user, name="x", scopes=others, expires_at=None, actor=admin_user)
        got = call(client, route, world, Authorization=f"Bearer {secret}").status_code
        assert got == 403, f"{route} with {others}: {got}"


def test_a_token_with_the_scope_suffices(world, admin_user):
    client = Client(raise_request_exception=False)
    for route in API:
        for scope in route.scopes:
            _, secret = create_token(user=admin_user, name="x", scopes=[scope], expires_at=None, actor=admin_user)
            got = call(client, route, world, Authorization=f"Bearer {secret}").status_code
            assert got == route.statuses[-1], f"{route} with {scope}: {got}"


@pytest.mark.parametrize("role", ROLES[1:])
def test_rows_that_do_not_exist_look_like_rows_of_others(role, world, request):
    user = request.getfixturevalue(role)
    client = Client(raise_request_exception=False)
    nothing = SimpleNamespace(**{name: "nothing" if isinstance(v, str) else 0 for name, v in vars(world).items()})
    for route in ROUTES:
        if not route.args:
            continue
        client.force_login(user)
        got = call(client, route, nothing).status_code
        assert got in (403, 404), f"{route}: {got}"


def addresses(resolver: URLResolver, space: str = "") -> list[tuple[str, URLPattern]]:
    """Every named address of the project, but for the support pages."""
    found: list[tuple[str, URLPattern]] = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            found.append((f"{space}{entry.name}", entry))
        elif entry.namespace != "admin":
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            found += addresses(entry, inner)
    return found


def test_every_address_and_method_is_in_the_table(world, admin_user):
    """A method that no row names must not exist: a view says which ones it takes."""
    known = {(route.method, route.name) for route in ROUTES}
    samples = {route.name: route for route in ROUTES}
    names = {name for name, _ in addresses(get_resolver())}
    assert names - set(samples) == set(), "these addresses have no row in ROUTES"
    assert set(samples) - names == set(), "these rows have no address"
    client = Client(raise_request_exception=False)
    missing = []
    for name, sample in samples.items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if (method, name) in known:
                continue
            client.force_login(admin_user)
            probe = Route(
                method=method, name=name, args=sample.args, statuses=everybody(405), scopes=sample.scopes
            )
            got = call(client, probe, world).status_code
            if got != 405:
                missing.append(f"{method} {name} answers {got}")
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("role", ROLES[:-1])
def test_support_pages_are_for_administrators(role, world, request):
    client = Client()
    if role != "anonymous":
        client.force_login(request.getfixturevalue(role))
    resolver = next(entry for entry in get_resolver().url_patterns if getattr(entry, "namespace", "") == "admin")
    samples = {"object_id": 1, "content_type_id": 1, "app_label": "accounts", "url": "x"}
    checked = 0
    for pattern in admin_patterns(resolver):
        if pattern.name in {"login", "logout", None}:
            continue
        names = pattern.pattern.converters
        label = getattr(pattern, "app", None)
        address = f"/support/{label}{pattern.pattern}" if label else f"/support/{pattern.pattern}"
        for name in [*names, "app_label", "url"]:
            value = str(samples.get(name, 1))
            address = address.replace(f"<path:{name}>", value).replace(f"<int:{name}>", value)
        if "(?P" in address or "<" in address:
            continue
        for method in ("get", "post"):
            response = getattr(client, method)(address)
            assert response.status_code in (302, 404), address
            assert response.status_code == 404 or "/support/login/" in response["Location"], address
        checked += 1
    assert checked > 100


def admin_patterns(resolver: URLResolver, prefix: str = "") -> list[Any]:
    found: list[Any] = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            entry.app = prefix
            found.append(entry)
        else:
            found += admin_patterns(entry, f"{prefix}{entry.pattern}")
    return found
