"""Packs: what is refused and where, what comes in once, and that one goes out as it came in."""

import copy
import io
import json
import math

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.curation.models import OutsideEvidence
from apps.curation.packs import KINDS, PackInvalid, read_pack, write_pack
from apps.curation.selectors import pack_of
from apps.curation.services import import_pack
from apps.curation.shipped import shipped_packs
from apps.library.models import Playbook, Solution, SolutionLink, SolutionVersion
from apps.taxonomy.models import Alias, Challenge
from tests.factories import (
    ChallengeFactory,
    MembershipFactory,
    RankedSolutionFactory,
    SolutionFactory,
    SolutionLinkFactory,
)

SMALL = {
    "format": "cxplan-solution-pack",
    "version": 1,
    "code": "small",
    "title": {"en": "Small", "fr": "Petit"},
    "challenges": [
        {"code": "waiting", "name": {"en": "Waiting", "fr": "Attente"}},
        {"code": "queue", "name": {"en": "Queue"}, "parent": "waiting", "aliases": ["line", "Line"]},
    ],
    "solutions": [
        {
            "code": "greeter",
            "title": {"en": "Greeter", "fr": "Accueil"},
            "kind": "sop",
            "cost": 2,
            "effort_hours": 3.5,
            "lag_days": 14,
            "summary": {"en": "Meet people at the door."},
            "recipe": {"procedure": {"en": ["Choose.", "Meet."], "fr": ["Choisir.", "Accueillir."]}},
            "challenges": [{"challenge": "queue", "rationale": "Sorts early."}],
            "evidence": [
                {
                    "outcome": {"en": "Waiting time"},
                    "unit": "minutes",
                    "effect": 1.5,
                    "low": 0.5,
                    "high": 2.5,
                    "uses": 9,
                    "units": 5,
                    "level": 3,
                    "method": "joint-ar1-1",
                    "as_of": "2026-01",
                }
            ],
        },
        {"code": "sign", "title": {"en": "Sign"}, "kind": "asset", "challenges": [{"challenge": "queue"}]},
    ],
    "playbooks": [
        {"code": "door", "title": {"en": "Door"}, "why": {"en": "Together."}, "solutions": ["greeter", "sign"]}
    ],
}


def changed(path, value):
    pack = copy.deepcopy(SMALL)
    place = pack
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return pack


def test_each_shipped_pack_has_twelve_challenges_with_three_to_five_solutions_in_both_languages():
    assert set(shipped_packs()) == {"service-counter", "contact-centre", "clinic"}
    for pack in shipped_packs().values():
        assert len(pack.challenges) == 12
        for challenge in pack.challenges:
            assert all([challenge.name.en, challenge.name.fr, challenge.description.fr])
            answers = [one for one in pack.solutions if challenge.code in {ln.challenge for ln in one.challenges}]
            assert 3 <= len(answers) <= 5, challenge.code
        for solution in pack.solutions:
            english, french = solution.text.as_dict(), solution.french.as_dict()
            assert {part for part, words in english.items() if words} == {
                part for part, words in french.items() if words
            }
            assert solution.text.procedure.count("\n") == solution.french.procedure.count("\n") >= 2
            assert not solution.evidence


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (["format"], "something", "/format"),
        (["version"], 2, "/version"),
        (["code"], "no spaces", "/code"),
        (["title"], {}, "/title/en"),
        (["challenges", 0, "parent"], "queue", "/challenges/0/parent"),
        (["challenges", 1, "code"], "WAITING", "/challenges/1/code"),
        (["solutions", 0, "kind"], "magic", "/solutions/0/kind"),
        (["solutions", 0, "cost"], 6, "/solutions/0/cost"),
        (["solutions", 0, "cost"], True, "/solutions/0/cost"),
        (["solutions", 0, "effort_hours"], math.nan, "/solutions/0/effort_hours"),
        (["solutions", 0, "recipe", "smell"], {"en": "x"}, "/solutions/0/recipe/smell"),
        (["solutions", 0, "evidence", 0, "low"], None, "/solutions/0/evidence/0"),
        (["solutions", 0, "evidence", 0, "low"], 2.0, "/solutions/0/evidence/0"),
        (["solutions", 0, "evidence", 0, "units"], 2, "/solutions/0/evidence/0/units"),
        (["solutions", 0, "title", "en"], "x\0", "/solutions/0/title/en"),
        (["solutions"], "none", "/solutions"),
        (["playbooks", 0, "solutions"], ["greeter"], "/playbooks/0/solutions"),
        (["playbooks", 0, "solutions"], ["greeter", "other"], "/playbooks/0/solutions"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(path, value, place):
    with pytest.raises(PackInvalid) as caught:
        read_pack(changed(path, value))
    assert place in [where for where, _message in caught.value.problems]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*SMALL, "en", "fr", "x"]), inner),
    max_leaves=20,
)


def problems_of(pack):
    try:
        read_pack(pack)
    except PackInvalid as error:
        return error.problems
    return ()


@given(JSON, st.sampled_from(["challenges", "solutions", "playbooks", "title", "code"]))
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_pack_it_is_read_or_refused_in_words(data, name):
    for pack in (data, {**SMALL, name: data}):
        problems = problems_of(pack)
        assert all(isinstance(place, str) and message for place, message in problems)


def test_a_pack_read_and_written_is_the_same():
    for pack in [read_pack(SMALL), *shipped_packs().values()]:
        assert read_pack(json.loads(json.dumps(write_pack(pack)))) == pack


@pytest.mark.django_db
def test_a_pack_comes_in_with_recipes_links_aliases_playbooks_and_evidence(lead):
    outcome = import_pack(pack=read_pack(SMALL), actor=lead)
    assert (outcome.challenges, outcome.solutions, outcome.links, outcome.playbooks, outcome.kept) == (
        2,
        2,
        2,
        1,
        0,
    )
    queue = Challenge.objects.get(code="queue")
    assert queue.parent.code == "waiting"
    assert queue.path.startswith(queue.parent.path)
    assert list(Alias.objects.values_list("source", "challenge__code")) == [("small", "queue")]
    version = SolutionVersion.objects.get(solution__code="greeter")
    assert version.procedure == "1. Choose.\n2. Meet."
    assert version.translations.get().procedure == "1. Choisir.\n2. Accueillir."
    assert SolutionLink.objects.get(solution__code="greeter").rationale == "Sorts early."
    assert [step.solution.code for step in Playbook.objects.get().steps.order_by("position")] == [
        "greeter",
        "sign",
    ]
    row = OutsideEvidence.objects.get()
    assert (row.effect, row.low, row.high, row.use_count) == (1.5, 0.5, 2.5, 9)


@pytest.mark.django_db
def test_the_same_pack_twice_adds_nothing_and_keeps_local_words(lead):
    import_pack(pack=read_pack(SMALL), actor=lead)
    Solution.objects.filter(code="greeter").update(title="Our greeter")
    before = [model.objects.count() for model in (Challenge, Solution, SolutionVersion, SolutionLink, Playbook)]
    outcome = import_pack(pack=read_pack(changed(["solutions", 0, "code"], "GREETER")), actor=lead)
    assert (outcome.challenges, outcome.solutions, outcome.links, outcome.playbooks, outcome.kept) == (
        0,
        0,
        0,
        0,
        5,
    )
    assert before == [m.objects.count() for m in (Challenge, Solution, SolutionVersion, SolutionLink, Playbook)]
    assert Solution.objects.get(code="greeter").title == "Our greeter"


@pytest.mark.django_db
def test_a_pack_links_what_is_there_under_the_challenge_that_stands_for_it(lead):
    standing = ChallengeFactory(code="waiting-line")
    ChallengeFactory(code="queue", merged_into=standing)
    import_pack(pack=read_pack(SMALL), actor=lead)
    assert {link.challenge.code for link in SolutionLink.objects.all()} == {"waiting-line"}


@pytest.mark.django_db
def test_a_part_of_the_library_goes_out_with_evidence_that_names_nobody(django_assert_max_num_queries):
    top = ChallengeFactory(code="top")
    low = ChallengeFactory(code="low", parent=top, path=f"{top.path}999.")
    other = ChallengeFactory(code="other")
    for code, challenge in (("inside", low), ("outside", other)):
        SolutionLinkFactory(challenge=challenge, solution=SolutionFactory(code=code, kind=KINDS[0]))
    inside = Solution.objects.get(code="inside")
    RankedSolutionFactory(challenge=low, solution=inside, effect=0.4, se=0.1, low=0.2, high=0.6, unit_count=5)
    few = SolutionFactory(code="few")
    SolutionLinkFactory(challenge=low, solution=few)
    RankedSolutionFactory(challenge=low, solution=few, effect=0.4, se=0.1, low=0.2, high=0.6, unit_count=2)
    with django_assert_max_num_queries(9):
        pack = pack_of(code="mine", title="Mine", challenges=["top"], with_evidence=True)
    assert [one.code for one in pack.solutions] == ["few", "inside"]
    assert [one.code for one in pack.challenges] == ["top", "low"]
    assert [len(one.evidence) for one in pack.solutions] == [0, 1]
    assert read_pack(write_pack(pack)) == pack
    assert not pack_of(code="mine", title="Mine", challenges=["top"], with_evidence=False).solutions[1].evidence


@pytest.mark.django_db
def test_a_lead_adds_a_shipped_pack_and_sees_it_there(client, lead):
    client.force_login(lead)
    page = client.get(reverse("curation:pack", args=["clinic"])).content.decode()
    assert "Add to the library" in page
    told = client.post(reverse("curation:pack-import", args=["clinic"]), follow=True).content.decode()
    assert "36 solutions and 12 challenges came in" in told
    assert "All of its solutions are in the library." in told
    assert "Add to the library" not in told


@pytest.mark.django_db
def test_a_lead_of_a_part_reads_packs_and_brings_none_in(client, chain):
    client.force_login(MembershipFactory(unit=chain.north, role="lead").user)
    assert client.get(reverse("curation:pack", args=["clinic"])).status_code == 200
    assert client.post(reverse("curation:pack-import", args=["clinic"])).status_code == 404
    assert client.post(reverse("curation:pack-list"), {"x": "y"}).status_code == 404
    assert not Solution.objects.exists()


@pytest.mark.django_db
def test_a_file_that_is_no_pack_is_refused_with_the_places_that_are_wrong(client, lead):
    client.force_login(lead)

    def sent(text):
        return client.post(
            reverse("curation:pack-list"),
            {"file": SimpleUploadedFile("a.json", text.encode(), "application/json")},
        )

    answer = sent(json.dumps(changed(["solutions", 0, "cost"], 9)))
    assert answer.status_code == 422
    assert "/solutions/0/cost" in answer.content.decode()
    assert sent("[" * 100_000).status_code == 422
    assert sent("{").status_code == 422
    assert sent(json.dumps(SMALL)).status_code == 302
    assert Solution.objects.count() == 2


@pytest.mark.django_db
def test_the_api_exports_what_it_brings_in(api, lead):
    program = api(lead)
    made = program.post("/api/v1/packs/", SMALL, format="json", headers={"Idempotency-Key": "1"})
    assert made.status_code == 201
    assert made.json()["solutions"] == 2
    again = program.post("/api/v1/packs/", SMALL, format="json", headers={"Idempotency-Key": "1"})
    assert again.json() == made.json()
    out = program.get("/api/v1/packs/export/", {"code": "small", "title": "Small", "challenge": "waiting"}).json()
    assert {one["code"] for one in out["solutions"]} == {"greeter", "sign"}
    wrong = program.post("/api/v1/packs/", changed(["solutions", 0, "cost"], 9), format="json")
    assert wrong.status_code == 400
    assert "cost" in json.dumps(wrong.json()["errors"])


@pytest.mark.django_db
def test_the_command_takes_a_code_or_a_file(tmp_path):
    out = io.StringIO()
    call_command("import_pack", "clinic", "--as-drafts", "--format", "json", stdout=out)
    assert json.loads(out.getvalue())["solutions"] == 36
    assert not Solution.objects.published().exists()
    path = tmp_path / "small.json"
    path.write_text(json.dumps(SMALL))
    call_command("import_pack", str(path), stdout=io.StringIO())
    assert Solution.objects.published().count() == 2
    path.write_text("{}")
    with pytest.raises(SystemExit) as ended:
        call_command("import_pack", str(path), stdout=io.StringIO(), stderr=io.StringIO())
    assert ended.value.code == 1
