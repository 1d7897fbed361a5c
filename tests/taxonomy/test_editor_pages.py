"""The pages on which leads keep the vocabulary."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import AuditEvent, Role
from apps.taxonomy.accepting import accept_portion
from apps.taxonomy.models import Alias, Challenge, Touchpoint, UnmappedLabel
from tests.factories import AliasFactory, ChallengeFactory, MembershipFactory, MetricFactory, TouchpointFactory
from tests.payloads import TEXTS
from tests.taxonomy_factories import UnmappedLabelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client, lead):
    client.force_login(lead)
    return client


def text(response):
    return response.content.decode()


def test_the_tree_is_folded_and_unfolds_to_the_marked_term(editor):
    top = ChallengeFactory(code="top", name="At the counter", metric=None)
    middle = ChallengeFactory(code="middle", name="Waiting", parent=top)
    ChallengeFactory(code="leaf", name="Long queue", parent=middle)
    folded = text(editor.get(reverse("taxonomy:editor")))
    assert "At the counter" in folded
    assert "Waiting" not in folded
    shown = text(editor.get(reverse("taxonomy:editor"), {"at": "leaf"}))
    assert "Long queue" in shown
    under = text(editor.get(reverse("taxonomy:challenges-under", args=["middle"])))
    assert "Long queue" in under


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("taxonomy:editor", {}),
        ("taxonomy:label-list", {}),
        ("taxonomy:label-list", {"guesses": "1"}),
        ("taxonomy:alias-list", {}),
        ("taxonomy:challenge-list", {}),
        ("taxonomy:challenge-list", {"q": "challenge"}),
        ("taxonomy:terms", {}),
        ("taxonomy:terms", {"parent": "challenge"}),
    ],
)
def test_each_list_is_made_in_the_same_number_of_queries_however_long(editor, address, asked):
    metric = MetricFactory()

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert editor.get(reverse(address), asked).status_code == 200
        return len(captured)

    def grow(count):
        for _ in range(count):
            top = ChallengeFactory(metric=metric)
            ChallengeFactory(parent=top, metric=metric)
            AliasFactory(challenge=top)
            UnmappedLabelFactory(label=top.name + "s")

    grow(2)
    few = queries()
    grow(12)
    assert queries() == few


def test_a_few_letters_are_offered_the_challenges_they_may_mean_by_name(editor):
    top = ChallengeFactory(code="top", name="At the counter", metric=None)
    ChallengeFactory(code="queue", name="Long queue", parent=top)
    ChallengeFactory(code="fees", name="Unexpected fees")
    ChallengeFactory(code="fees-2", name="Unexpected fees", parent=top)
    page = text(editor.get(reverse("taxonomy:terms"), {"means-7": "queue"}))
    assert page.strip() == '<option value="Long queue">At the counter › Long queue</option>'
    same = text(editor.get(reverse("taxonomy:terms"), {"parent": "fees"}))
    assert 'value="fees"' in same
    assert 'value="fees-2"' in same
    assert text(editor.get(reverse("taxonomy:terms"))).count("<option") == 4


def test_a_term_to_choose_is_named_not_coded(editor):
    ChallengeFactory(code="queue", name="Long queue")
    alias = AliasFactory(challenge=Challenge.objects.get())
    assert 'value="Long queue"' in text(editor.get(reverse("taxonomy:alias", args=[alias.pk])))
    assert 'value="Long queue"' in text(editor.get(reverse("taxonomy:challenge-new"), {"parent": "QUEUE"}))


def test_a_challenge_is_created_renamed_and_moved_by_plain_forms(editor):
    top = ChallengeFactory(code="top", name="At the counter", metric=None)
    fields = {"name": "Long queue", "name_fr": "Longue file", "code": "queue", "parent": "at the counter"}
    editor.post(reverse("taxonomy:challenge-new"), {**fields, "severity": "4"})
    made = Challenge.objects.get(code="queue")
    assert (made.parent, made.severity) == (top, 4)
    edited = editor.post(reverse("taxonomy:challenge-edit", args=["queue"]), {"name": "Queue", "severity": "2"})
    assert edited.status_code == 302
    editor.post(reverse("taxonomy:challenge-move", args=["queue"]), {"parent": ""})
    made.refresh_from_db()
    assert (made.name, made.severity, made.parent) == ("Queue", 2, None)


def test_a_change_is_undone_from_the_page(editor):
    ChallengeFactory(code="queue", name="Long queue")
    editor.post(reverse("taxonomy:challenge-retire", args=["queue"]))
    change = AuditEvent.objects.get(event="taxonomy.challenge.retired")
    assert reverse("taxonomy:change-undo", args=[change.pk]) in text(editor.get(reverse("taxonomy:editor")))
    editor.post(reverse("taxonomy:change-undo", args=[change.pk]))
    assert Challenge.objects.get(code="queue").retired_on is None


def test_a_refusal_is_said_in_the_form(editor):
    top = ChallengeFactory(code="top")
    ChallengeFactory(code="leaf", parent=top)
    answer = editor.post(reverse("taxonomy:challenge-merge", args=["top"]), {"into": "leaf"})
    assert answer.status_code == 422
    assert "stands under" in text(answer)


def test_a_split_takes_terms_in_use_and_new_ones(editor):
    ChallengeFactory(code="wait")
    ChallengeFactory(code="old", name="Waiting and queueing")
    parts = "wait\nqueue = Long queue | Longue file"
    editor.post(reverse("taxonomy:challenge-split", args=["old"]), {"parts": parts})
    page = text(editor.get(reverse("taxonomy:challenge", args=["old"])))
    assert "was split on" in page
    assert "Long queue" in page
    assert Challenge.objects.get(code="queue").name_fr == "Longue file"


def test_labels_are_guessed_whatever_the_accents_and_mapped_in_bulk(editor):
    queue = ChallengeFactory(
        code="queue", name="Long wait at the counter", name_fr="Attente trop longue au comptoir"
    )
    ChallengeFactory(code="fees", name="Unexpected fees")
    label = UnmappedLabelFactory(label="ATTENTE TROP LONGUE AU COMPTOIR")
    other = UnmappedLabelFactory(label="zzz qqq")
    assert "Looking for what it may mean" in text(editor.get(reverse("taxonomy:label-list")))
    page = text(editor.get(reverse("taxonomy:label-list"), {"guesses": "1"}))
    assert 'value="Long wait at the counter"' in page
    assert "Nothing is alike" in page
    editor.post(reverse("taxonomy:label-list"), {"do": "sure", "least": "70"})
    assert "Looking at labels: 0 of 2" in text(editor.get(reverse("taxonomy:label-list")))
    while accept_portion(at=timezone.now()):
        continue
    assert "1 of 2 labels was sure enough" in text(editor.get(reverse("taxonomy:acceptance")))
    assert Alias.objects.get(label=label.label).challenge == queue
    editor.post(reverse("taxonomy:label-list"), {"do": "ignore", "label": [other.pk]})
    assert UnmappedLabel.objects.waiting().count() == 0


def test_a_ticked_label_means_what_stands_beside_it(editor):
    fees = ChallengeFactory(code="fees", name="Unexpected fees")
    label = UnmappedLabelFactory(label="Costs")
    editor.post(
        reverse("taxonomy:label-list"), {"do": "map", "label": [label.pk], f"means-{label.pk}": "unexpected fees"}
    )
    assert Alias.objects.get().challenge == fees


def test_a_journey_is_reordered_by_its_form(editor):
    first = TouchpointFactory(name="First", position=1)
    second = TouchpointFactory(name="Second", journey=first.journey, position=2)
    fields = {
        f"s{first.pk}-position": "2", f"s{first.pk}-name": "First",
        f"s{second.pk}-position": "1", f"s{second.pk}-name": "Second",
        "starts_on": timezone.localdate().isoformat(),
    }  # fmt: skip
    assert editor.post(reverse("taxonomy:journey", args=[first.journey.code]), fields).status_code == 302
    assert list(Touchpoint.objects.order_by("position").values_list("name", flat=True)) == ["Second", "First"]


def test_a_lead_of_a_part_keeps_off_the_vocabulary_of_all(client, chain):
    regional = MembershipFactory(unit=chain.north, role=Role.LEAD).user
    client.force_login(regional)
    assert client.get(reverse("taxonomy:editor")).status_code == 404


@pytest.mark.parametrize("payload", TEXTS)
def test_no_name_runs_script(editor, payload):
    top = ChallengeFactory(code="top", name=payload[:200], name_fr=payload[:200], description=payload)
    ChallengeFactory(code="leaf", name=payload[:200], parent=top)
    AliasFactory(label=payload[:200], challenge=top)
    UnmappedLabelFactory(label=payload[:200])
    pages = [
        reverse("taxonomy:editor") + "?at=leaf",
        reverse("taxonomy:challenge", args=["top"]),
        reverse("taxonomy:challenge-edit", args=["top"]),
        reverse("taxonomy:label-list") + "?guesses=1",
        reverse("taxonomy:alias-list"),
        reverse("taxonomy:terms"),
    ]
    for address in pages:
        page = text(editor.get(address))
        if "<" in payload or '"' in payload:
            assert payload not in page
