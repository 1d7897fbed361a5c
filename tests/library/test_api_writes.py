"""What programs write into the library: what lands, what is refused and in which words, and who may."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.models import AuditEvent
from apps.library.models import Solution, SolutionLink, SolutionVersion
from tests.factories import ChallengeFactory, SolutionFactory, SolutionLinkFactory
from tests.library_factories import PlaybookFactory, PlaybookSolutionFactory

pytestmark = pytest.mark.django_db
SOLUTIONS, PLAYBOOKS, ALIASES = "/api/v1/solutions/", "/api/v1/playbooks/", "/api/v1/solution-aliases/"
GREETER = {"title": "A greeter in the queue", "kind": "sop"}
CHANGES = "/api/v1/change-requests/"
BY_REFERENCE = f"{SOLUTIONS}by-reference/"


def pointed(answer):
    """What is said against each field, such as "translations.fr.title"."""
    errors = answer.json()["errors"]
    return {error["pointer"].removeprefix("#/").replace("/", "."): error["message"] for error in errors}


class Program:
    """Sends JSON and gets what came of it."""

    def __init__(self, client):
        self.client = client

    def send(self, method, address, body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(self.client, method)(address, body, format="json", headers=named)

    def fields(self, method, address, body, status=400):
        """The fields a call is refused for."""
        refused = self.send(method, address, body)
        assert refused.status_code == status, refused.content
        assert refused["Content-Type"] == "application/problem+json"
        told = refused.json()
        assert told["detail"]
        return pointed(refused)


@pytest.fixture
def program(api, lead):
    return Program(api(lead))


@pytest.fixture
def greeter(program):
    ChallengeFactory(code="queue")
    body = {
        **GREETER, "code": "greeter", "summary": "Meets the queue.", "challenges": ["QUEUE"],
        "translations": {"fr": {"title": "Un accueil", "procedure": "1. Saluer."}},
        "cost": 2, "effort_hours": "7.5", "lag_days": 14, "owner": "LEAD@example.org", "review_every_months": 6,
        "procedure": "1. Greet.",
    }  # fmt: skip
    return program.send("post", SOLUTIONS, body)


def test_a_solution_lands_with_text_facts_links_and_its_author(greeter, program, lead):
    assert greeter.status_code == 201, greeter.content
    assert (greeter.status_code, greeter["Location"]) == (201, "http://testserver/api/v1/solutions/greeter/")
    told = greeter.json()
    assert (told["status"], told["version"], told["challenges"]) == ("draft", 1, ["queue"])
    assert (told["cost"], told["effort_hours"], told["owner"]) == (2, "7.5", "lead@example.org")
    assert told["recipe"]["procedure"] == "1. Greet."
    assert told["translations"]["fr"]["procedure"] == "1. Saluer."
    assert told["title_fr"] == "Un accueil"
    assert told["review_due_on"]
    made = Solution.objects.get()
    assert made.author == lead
    assert AuditEvent.objects.about(made).filter(event="library.solution.created", actor=lead).count() == 1
    assert program.send("get", greeter["Location"]).json() == told


def test_without_a_code_one_is_made_of_the_title(program):
    codes = [program.send("post", SOLUTIONS, GREETER).json()["code"] for _ in range(2)]
    assert codes == ["a-greeter-in-the-queue", "a-greeter-in-the-queue-2"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "sop"}, "title"),
        ({"title": "  ", "kind": "sop"}, "title"),
        ({"title": "x" * 201, "kind": "sop"}, "title"),
        ({"title": "x"}, "kind"),
        ({**GREETER, "kind": "magic"}, "kind"),
        ({**GREETER, "code": "with a blank"}, "code"),
        ({**GREETER, "code": "a/b"}, "code"),
        ({**GREETER, "cost": 6}, "cost"),
        ({**GREETER, "cost": "cheap"}, "cost"),
        ({**GREETER, "effort_hours": -1}, "effort_hours"),
        ({**GREETER, "lag_days": -1}, "lag_days"),
        ({**GREETER, "lag_days": 10**12}, "lag_days"),
        ({**GREETER, "url": "javascript:alert(1)"}, "url"),
        ({**GREETER, "owner": "nobody@example.org"}, "owner"),
        ({**GREETER, "owner": "not an address"}, "owner"),
        ({**GREETER, "review_every_months": 0}, "review_every_months"),
        ({**GREETER, "status": "loved"}, "status"),
        ({**GREETER, "challenges": ["nowhere"]}, "challenges"),
        ({**GREETER, "challenges": "queue"}, "challenges"),
        ({**GREETER, "translations": {"de": {"title": "Ein Empfang"}}}, "translations.de"),
        ({**GREETER, "translations": {"fr": {"title": "x" * 201}}}, "translations.fr.title"),
        ({**GREETER, "translations": {"fr": {"recipe": "x"}}}, "translations.fr.recipe"),
        ({**GREETER, "procedur": "1."}, "procedur"),
        ({**GREETER, "why": "a\0b"}, "why"),
        ({**GREETER, "why": "x" * 20_001}, "why"),
    ],
)
def test_what_can_not_be_a_solution_is_refused_by_the_name_of_the_field(program, body, field):
    refused = program.fields("post", SOLUTIONS, body)
    assert [name for name in refused if name == field or name.startswith(f"{field}.")], refused
    assert not Solution.objects.exists()


@pytest.mark.parametrize("body", [[], [GREETER], "text", 5, None])
def test_what_is_no_object_is_refused(program, body):
    for method, address in (("post", SOLUTIONS), ("put", BY_REFERENCE), ("post", PLAYBOOKS), ("post", ALIASES)):
        assert program.send(method, address, body).status_code == 400


def test_a_code_is_given_once_whatever_its_case(greeter, program):
    refused = program.send("post", SOLUTIONS, {**GREETER, "code": "GREETER"})
    assert (refused.status_code, refused.json()["code"]) == (409, "code_taken")
    assert list(pointed(refused)) == ["code"]


def test_a_call_that_is_repeated_happens_once_and_another_one_under_its_key_is_refused(program):
    first = program.send("post", SOLUTIONS, GREETER, Idempotency_Key="one")
    again = program.send("post", SOLUTIONS, GREETER, Idempotency_Key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["code"] == again.json()["code"]
    other = program.send("post", SOLUTIONS, {**GREETER, "title": "Another"}, Idempotency_Key="one")
    assert other.status_code == 422
    assert Solution.objects.count() == 1


def test_other_words_make_a_version_and_what_is_not_given_stays(greeter, program):
    changed = program.send("patch", f"{SOLUTIONS}GREETER/", {"who": "A runner", "note": "Who was missing"}).json()
    assert (changed["version"], changed["recipe"]["who"], changed["recipe"]["procedure"]) == (
        2,
        "A runner",
        "1. Greet.",
    )
    assert changed["translations"]["fr"]["title"] == "Un accueil"
    same = program.send("patch", f"{SOLUTIONS}greeter/", {"who": "A runner", "cost": 3}).json()
    assert (same["version"], same["cost"]) == (2, 3)
    versions = program.send("get", f"{SOLUTIONS}greeter/versions/").json()
    assert [(row["number"], row["note"], row["who"]) for row in versions] == [
        (2, "Who was missing", "A runner"),
        (1, "", ""),
    ]
    french = {"translations": {"fr": {"summary": "Rencontre la file."}}}
    assert program.send("patch", f"{SOLUTIONS}greeter/", french).json()["translations"]["fr"] == {
        **greeter.json()["translations"]["fr"],
        "summary": "Rencontre la file.",
    }


def test_the_second_writer_is_refused_and_nothing_of_theirs_lands(greeter, program):
    tag = greeter["ETag"]
    address = f"{SOLUTIONS}greeter/"
    assert program.send("patch", address, {"cost": 1}, If_Match=tag).status_code == 200
    late = program.send("patch", address, {"cost": 5, "why": "Late."}, If_Match=tag)
    assert late.status_code == 412
    assert late["Content-Type"] == "application/problem+json"
    now = program.send("get", address)
    assert (now.json()["cost"], now.json()["version"]) == (1, 1)
    assert program.send("patch", address, {"cost": 5}, If_Match=now["ETag"]).json()["cost"] == 5
    assert program.send("get", address, If_None_Match=program.send("get", address)["ETag"]).status_code == 304


def test_it_is_published_retired_and_never_a_draft_again(greeter, program, api, staff):
    address = f"{SOLUTIONS}greeter/"
    reader = Program(api(staff))
    assert reader.send("get", address).status_code == 404
    assert program.send("patch", address, {"status": "published"}).json()["status"] == "published"
    assert reader.send("get", address).status_code == 200
    assert program.send("patch", address, {"status": "published"}).status_code == 200
    refused = program.fields("patch", address, {"status": "draft", "cost": 5})
    assert "retired" in refused["status"]
    assert program.send("get", address).json()["cost"] == 2
    assert program.send("patch", address, {"status": "retired"}).json()["status"] == "retired"
    assert program.send("patch", address, {"status": "published"}).json()["status"] == "published"
    told = AuditEvent.objects.about(Solution.objects.get()).filter(event__startswith="library.solution.")
    assert [row.event.rpartition(".")[2] for row in told.order_by("pk")] == [
        "created", "linked", "published", "retired", "published",
    ]  # fmt: skip


def test_links_carry_reasons_and_those_only_seen_in_use_stay(greeter, program):
    solution = Solution.objects.get()
    for code in ("cold", "fees"):
        ChallengeFactory(code=code)
    SolutionLinkFactory(solution=solution, challenge=ChallengeFactory(code="seen"), is_seen_in_use=True)
    links = {"links": [{"challenge": "COLD", "rationale": "Somebody is there."}, {"challenge": "fees"}]}
    answer = program.send("put", f"{SOLUTIONS}greeter/links/", links)
    assert answer.json() == [
        {"challenge": "cold", "rationale": "Somebody is there.", "seen_in_use": False},
        {"challenge": "fees", "rationale": "", "seen_in_use": False},
        {"challenge": "seen", "rationale": "", "seen_in_use": True},
    ]
    # Codes alone keep the reasons.
    program.send("patch", f"{SOLUTIONS}greeter/", {"challenges": ["cold", "queue"]})
    kept = SolutionLink.objects.filter(is_seen_in_use=False).order_by("challenge__code")
    assert [(link.challenge.code, link.rationale) for link in kept] == [
        ("cold", "Somebody is there."),
        ("queue", ""),
    ]
    refused = program.fields("put", f"{SOLUTIONS}greeter/links/", {"links": [{"challenge": "nowhere"}]})
    assert any(name.startswith("links") for name in refused)
    assert kept.count() == 2


def test_a_link_to_what_was_merged_or_retired_is_refused(greeter, program):
    ChallengeFactory(code="gone", merged_into=ChallengeFactory(code="stays"))
    for code in ("gone", "nowhere"):
        assert program.fields("patch", f"{SOLUTIONS}greeter/", {"challenges": [code]})
    assert [link.challenge.code for link in SolutionLink.objects.all()] == ["queue"]


def test_another_system_s_solution_is_made_once_and_updated_in_place(program):
    ChallengeFactory(code="queue")
    sent = {**GREETER, "source": "Wiki", "external_ref": "KB-7", "challenges": ["queue"], "status": "published"}
    first = program.send("put", BY_REFERENCE, sent)
    assert (first.status_code, first.json()["external_ref"], first.json()["version"]) == (201, "KB-7", 1)
    again = program.send("put", BY_REFERENCE, {**sent, "source": "WIKI", "code": "other", "who": "A runner"})
    assert (again.status_code, again.json()["version"], again.json()["code"]) == (200, 2, first.json()["code"])
    same = program.send("put", BY_REFERENCE, {**sent, "source": "WIKI", "who": "A runner"})
    assert (same.status_code, same.json()["version"]) == (200, 2)
    assert Solution.objects.count() == 1
    assert SolutionVersion.objects.count() == 2
    late = program.send("put", BY_REFERENCE, {**sent, "cost": 4}, If_Match=first["ETag"])
    assert late.status_code == 412
    assert set(program.fields("put", BY_REFERENCE, GREETER)) == {"source", "external_ref"}


def test_a_reference_names_one_solution(program):
    sent = {**GREETER, "source": "wiki", "external_ref": "KB-7"}
    program.send("post", SOLUTIONS, sent)
    twice = program.send("post", SOLUTIONS, {**sent, "source": "WIKI"})
    assert (twice.status_code, twice.json()["code"]) == (409, "reference_taken")
    other = program.send("post", SOLUTIONS, {**GREETER, "source": "wiki", "external_ref": "KB-8"}).json()["code"]
    moved = program.send("patch", f"{SOLUTIONS}{other}/", {"external_ref": "KB-7"})
    assert (moved.status_code, list(pointed(moved))) == (409, ["external_ref"])


def test_a_form_with_several_challenges_is_taken_like_json(api, lead):
    for code in ("queue", "cold"):
        ChallengeFactory(code=code)
    client = api(lead)
    sent = {**GREETER, "source": "wiki", "external_ref": "1", "challenges": ["queue", "cold"]}
    for status in (201, 200):
        answer = client.put(BY_REFERENCE, sent, format="multipart")
        assert (answer.status_code, answer.json()["challenges"]) == (status, ["cold", "queue"])


def test_files_are_taken_by_their_content_and_deleted_for_good(greeter, api, lead):
    client = api(lead)
    address = f"{SOLUTIONS}greeter/files/"
    kept = client.post(address, {"file": SimpleUploadedFile("checklist.txt", b"1. Greet.")}, format="multipart")
    assert (kept.status_code, kept.json()["name"], kept.json()["size"]) == (201, "checklist.txt", 9)
    page = client.post(address, {"file": SimpleUploadedFile("page.html", b"<html>")}, format="multipart")
    assert (page.status_code, page.json()["code"]) == (422, "upload_refused")
    assert list(pointed(page)) == ["file"]
    nothing = client.post(address, {}, format="multipart")
    assert list(pointed(nothing)) == ["file"]
    one = f"{address}{kept.json()['id']}/"
    assert client.get(one)["Content-Disposition"].startswith("attachment")
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404


@pytest.mark.parametrize("who", ["staff", "manager", "outsider", "lead"])
def test_only_leads_write(request, api, who):
    SolutionFactory(code="known")
    PlaybookFactory(code="both")
    client = Program(api(request.getfixturevalue(who)))
    calls = [
        ("post", SOLUTIONS, GREETER), ("patch", f"{SOLUTIONS}known/", {"cost": 1}),
        ("put", f"{SOLUTIONS}known/links/", {"links": []}),
        ("put", BY_REFERENCE, {**GREETER, "source": "w", "external_ref": "1"}),
        ("patch", f"{PLAYBOOKS}both/", {"title": "Both"}),
    ]  # fmt: skip
    told = {client.send(*call).status_code for call in calls}
    assert told <= {200, 201} if who == "lead" else told == {403}


def test_a_token_that_only_reads_writes_nothing(api, lead):
    refused = Program(api(lead, scopes=["read"])).send("post", SOLUTIONS, GREETER)
    assert refused.status_code == 403
    assert not Solution.objects.exists()


def test_a_playbook_lands_keeps_its_order_and_is_changed(program):
    for code in ("one", "two", "three"):
        SolutionFactory(code=code, status="published")
    steps = [{"solution": "TWO", "note": "First of all"}, {"solution": "one"}]
    made = program.send("post", PLAYBOOKS, {"title": "Both at once", "solutions": steps})
    assert made.status_code == 201
    address = made["Location"]
    assert [(step["solution"], step["note"]) for step in made.json()["solutions"]] == [
        ("two", "First of all"),
        ("one", ""),
    ]
    tag = made["ETag"]
    turned = [{"solution": "one"}, {"solution": "three"}, {"solution": "two"}]
    changed = program.send("patch", address, {"solutions": turned, "status": "published"}, If_Match=tag)
    assert [step["solution"] for step in changed.json()["solutions"]] == ["one", "three", "two"]
    assert changed.json()["status"] == "published"
    assert program.send("patch", address, {"title": "Late"}, If_Match=tag).status_code == 412
    for body, field in (
        ({"solutions": [{"solution": "one"}]}, "solutions"),
        ({"solutions": [{"solution": "one"}, {"solution": "nowhere"}]}, "solutions"),
        ({"solutions": [{"solution": "one"}, {"solution": "ONE"}]}, "solutions"),
        ({"title": ""}, "title"),
        ({"status": "loved"}, "status"),
        ({"steps": []}, "steps"),
    ):
        refused = program.send("patch", address, body)
        assert refused.status_code in (400, 422), body
        assert any(name.startswith(field) for name in pointed(refused)), refused.json()
    assert [step["solution"] for step in program.send("get", address).json()["solutions"]] == [
        "one", "three", "two",
    ]  # fmt: skip


def test_a_playbook_of_drafts_names_them_to_nobody_but_leads(program, api, staff):
    step = PlaybookSolutionFactory(
        playbook=PlaybookFactory(code="both", status="published"), solution=SolutionFactory(status="draft")
    )
    seen = Program(api(staff)).send("get", f"{PLAYBOOKS}both/").json()["solutions"]
    assert step.solution.code not in [row["solution"] for row in seen]
    assert program.send("get", f"{PLAYBOOKS}both/").json()["solutions"]


def test_another_name_of_a_solution_is_given_moved_and_taken_away(program, api, manager):
    SolutionFactory(code="one")
    SolutionFactory(code="two")
    body = {"source": "wiki", "label": "The greeter", "solution": "ONE"}
    made = program.send("post", ALIASES, body, Idempotency_Key="a")
    assert (made.status_code, made.json()["solution"]) == (201, "one")
    assert program.send("post", ALIASES, body, Idempotency_Key="a").json() == made.json()
    taken = program.send("post", ALIASES, {**body, "label": "THE GREETER", "solution": "two"})
    assert (taken.status_code, taken.json()["code"]) == (409, "alias_taken")
    moved = program.send("patch", made["Location"], {"solution": "two"}, If_Match=made["ETag"])
    assert moved.json()["solution"] == "two"
    assert program.send("delete", made["Location"], If_Match=made["ETag"]).status_code == 412
    assert Program(api(manager)).send("delete", made["Location"]).status_code == 403
    assert program.send("delete", made["Location"], If_Match=moved["ETag"]).status_code == 204
    assert set(program.fields("post", ALIASES, {"source": "wiki"})) == {"label", "solution"}
    assert set(program.fields("post", ALIASES, {**body, "solution": "nowhere"})) == {"solution"}


@pytest.fixture
def asked(greeter, program, api, staff):
    """Other words that a colleague asks for."""
    program.send("patch", f"{SOLUTIONS}greeter/", {"status": "published"})
    body = {"solution": "GREETER", "changes": {"who": "A runner"}, "reason": "Nobody else has time."}
    return Program(api(staff)).send("post", CHANGES, body)


def test_other_words_are_asked_for_and_taken_over_once(asked, program, api, staff, outsider):
    assert (asked.status_code, asked.json()["state"], asked.json()["solution"]) == (201, "open", "greeter")
    address = asked["Location"]
    assert Program(api(staff)).send("get", address).json() == asked.json()
    assert Program(api(outsider)).send("get", address).status_code == 404
    assert Program(api(staff)).send("post", f"{address}accept/", {}).status_code == 403
    taken = program.send("post", f"{address}accept/", {}, Idempotency_Key="a")
    assert (taken.json()["state"], taken.json()["result"]) == ("accepted", 2)
    assert program.send("post", f"{address}accept/", {}, Idempotency_Key="a").json() == taken.json()
    newest = program.send("get", f"{SOLUTIONS}greeter/versions/").json()[0]
    assert (newest["who"], newest["author"]) == ("A runner", staff.email)
    late = program.send("post", f"{address}decline/", {"decision": "No."})
    assert (late.status_code, late.json()["code"]) == (409, "step_not_possible")


def test_other_words_are_declined_with_a_reason(asked, program):
    address = f"{asked['Location']}decline/"
    assert set(program.fields("post", address, {})) == {"decision"}
    assert program.send("post", address, {"decision": "Too costly."}).json()["decision"] == "Too costly."
    assert program.send("get", CHANGES, {"state": "open"}).json()["results"] == []


def test_a_change_that_says_nothing_new_or_of_nothing_is_refused(asked, program, api, staff):
    client = Program(api(staff))
    same = {"solution": "greeter", "changes": {"procedure": "1. Greet."}, "reason": "Why not?"}
    refused = client.send("post", CHANGES, same)
    assert (refused.status_code, refused.json()["code"]) == (422, "request_not_usable")
    SolutionFactory(code="hidden", status="draft")
    assert set(client.fields("post", CHANGES, {**same, "solution": "hidden"})) == {"solution"}
    assert set(client.fields("post", CHANGES, {})) == {"solution", "changes", "reason"}
    assert set(client.fields("post", CHANGES, {**same, "changes": {"whoo": "x"}})) == {"changes.whoo"}
    assert set(client.fields("post", CHANGES, {**same, "language": "de"})) == {"language"}
