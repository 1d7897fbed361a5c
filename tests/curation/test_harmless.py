"""Whatever comes in by a pack, over the API or from the staff, no page of the library runs any of it."""

import copy
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from apps.curation.likeness import compare_all
from apps.curation.models import LookAlike
from apps.ideas.models import Idea
from apps.library.models import Solution, SolutionFile
from tests.curation.test_packs import SMALL
from tests.factories import ChallengeFactory
from tests.ideas_factories import CallFactory, CommentFactory, IdeaFactory
from tests.payloads import FILE_NAMES, MARKDOWN, REFUSED_FILES, TEXTS, running
from tests.taxonomy_factories import UnmappedLabelFactory

pytestmark = pytest.mark.django_db
EVERY = "\n\n".join([*TEXTS, *MARKDOWN])


@pytest.fixture
def pack():
    """A pack whose every text is an attack."""
    made = copy.deepcopy(SMALL)
    short, long = {"en": TEXTS[1], "fr": TEXTS[3]}, {"en": EVERY, "fr": EVERY}
    made["title"], made["description"], made["license"] = short, long, TEXTS[4]
    for challenge in made["challenges"]:
        challenge.update(name=short, description=long)
    made["challenges"][1]["aliases"] = list(TEXTS[:12])
    solution = made["solutions"][0]
    solution.update(title=short, summary=long, recipe={"procedure": long, "why": long})
    solution["challenges"][0]["rationale"] = EVERY
    solution["evidence"][0].update(outcome=short, unit=TEXTS[2][:40])
    made["playbooks"][0].update(title=short, why=long)
    return made


def test_what_a_pack_brings_is_words_on_every_page(api, client, lead, pack):
    answer = api(lead).post("/api/v1/packs/", pack, format="json")
    if answer.status_code == 400:
        pytest.fail(json.dumps(answer.json()["errors"])[:500])
    client.force_login(lead)
    for address in (
        "/packs/", "/solutions/", "/solutions/?q=script", "/solutions/greeter/", "/solutions/greeter/edit/",
        "/solutions/greeter/links/", "/solutions/greeter/elsewhere/", "/playbooks/", "/playbooks/door/",
        "/challenges/", "/challenges/queue/", "/taxonomy/", "/taxonomy/aliases/", "/taxonomy/terms/?q=script",
        "/search/?q=script", "/search/?q=alert",
    ):  # fmt: skip
        response = client.get(address)
        assert response.status_code == 200, address
        assert running(response.content.decode()) == [], address


@pytest.mark.parametrize("name", ["code", "kind"])
def test_what_a_pack_calls_things_can_not_be_markup(api, lead, pack, name):
    for attack in TEXTS:
        pack["solutions"][0][name] = attack
        assert api(lead).post("/api/v1/packs/", pack, format="json").status_code == 400
    assert not Solution.objects.exists()


def test_what_staff_write_is_words_on_every_page(chain, client, lead, staff):
    challenge = ChallengeFactory(code="queue", name=TEXTS[1])
    call = CallFactory(challenge=challenge, title=TEXTS[2], title_fr=TEXTS[3], text=EVERY)
    ideas = [
        IdeaFactory(unit=chain.lille, author=staff, title=TEXTS[1], problem=TEXTS[2], text=EVERY, call=call)
        for _ in range(2)
    ]
    held = IdeaFactory(unit=chain.lille, title=TEXTS[3], text=EVERY, let_in_at=None)
    CommentFactory(idea=ideas[0], author=staff, text=EVERY)
    waiting = CommentFactory(idea=ideas[0], author=staff, text=EVERY, let_in_at=None)
    UnmappedLabelFactory(label=TEXTS[1])
    compare_all(at=timezone.now())
    first = ideas[0].pk
    client.force_login(lead)
    for address in (
        "/ideas/", "/ideas/board/", "/ideas/moderation/", "/ideas/home/", f"/ideas/{first}/", f"/ideas/{held.pk}/",
        f"/ideas/{first}/edit/", f"/ideas/{first}/promote/", f"/ideas/{first}/merge/", f"/ideas/{first}/decline/",
        f"/ideas/comments/{waiting.pk}/hide/", "/ideas/similar/?text=script+alert+img",
        "/ideas/guesses/?problem=script",
        "/calls/", f"/calls/{call.pk}/", f"/calls/{call.pk}/change/", "/curation/", "/taxonomy/labels/?guesses=1",
        f"/curation/alike/{LookAlike.objects.get().pk}/", "/notifications/",
    ):  # fmt: skip
        response = client.get(address)
        assert response.status_code == 200, address
        assert running(response.content.decode()) == [], address


def test_the_api_gives_words_back_as_data(api, chain, staff):
    body = {"text": EVERY[:4_900], "title": TEXTS[0], "unit": "LILLE"}
    made = api(staff).post("/api/v1/ideas/", body, format="json")
    assert (made.status_code, made["Content-Type"]) == (201, "application/json")
    assert made["X-Content-Type-Options"] == "nosniff"
    assert made.json()["text"] == EVERY[:4_900].replace("\r\n", "\n").strip()
    wrong = api(staff).post("/api/v1/ideas/", {"text": "x", "unit": TEXTS[0]}, format="json")
    assert wrong["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("name", "content"), REFUSED_FILES)
def test_no_file_that_could_run_is_kept_by_page_or_api(api, chain, client, lead, staff, name, content):
    Solution.objects.create(code="one", title="One", kind="sop")
    sent = SimpleUploadedFile(name, content)
    assert api(lead).post("/api/v1/solutions/one/files/", {"file": sent}, format="multipart").status_code in (
        400,
        422,
    )
    client.force_login(lead)
    sent.seek(0)
    client.post("/solutions/one/files/", {"file": sent})
    assert not SolutionFile.objects.exists()
    sent.seek(0)
    client.force_login(staff)
    assert client.post("/ideas/new/", {"text": "A greeter", "photo": sent}).status_code in (302, 422)
    assert not Idea.objects.exclude(photo="").exists()


@pytest.mark.parametrize("name", FILE_NAMES)
def test_a_name_of_a_file_is_a_name(api, lead, name):
    Solution.objects.create(code="one", title="One", kind="sop")
    sent = SimpleUploadedFile("plain.txt", b"words\n")
    sent.name = name
    answer = api(lead).post("/api/v1/solutions/one/files/", {"file": sent}, format="multipart")
    if answer.status_code == 201:
        kept = answer.json()["name"]
        assert not set(kept) & set("\"'<>&/\\\r\n\0\u202e;`$")
        given = api(lead).get(f"/api/v1/solutions/one/files/{answer.json()['id']}/")
        assert given["Content-Disposition"].startswith("attachment")
        assert given["Content-Security-Policy"] == "default-src 'none'; sandbox"
