"""Responses whose label nobody knew are kept, and coded once somebody says what it means."""

from typing import Any

import pytest

from apps.accounts.models import AuditEvent
from apps.feedback import coding
from apps.feedback.models import ResponseChallenge, ResponseLabel
from apps.feedback.tasks import code_labels
from apps.taxonomy.aliases import change_alias, create_alias, remove_alias
from apps.taxonomy.models import UnmappedLabel
from apps.taxonomy.services import merge_challenge
from tests.factories import ActionFactory, ChallengeFactory, MetricFactory, UnitFactory
from tests.importing import counts

pytestmark = pytest.mark.django_db(transaction=True)
HEAD = ["source", "external_id", "unit", "occurred_at", "metric", "value", "challenge"]


def row(key: str, label: str, value: str = "8") -> list[str]:
    return ["helpdesk", key, "LILLE", "2024-01-03T12:00:00Z", "csat", value, label]


@pytest.fixture
def world(db: None) -> None:
    UnitFactory(code="LILLE")
    MetricFactory(code="csat")


def codings() -> list[tuple[str, str]]:
    rows = ResponseChallenge.objects.order_by("response__external_id")
    return list(rows.values_list("response__external_id", "challenge__code"))


def test_an_unknown_label_waits_with_its_responses_and_a_warning(bring_in: Any, world: None) -> None:
    rows = [HEAD, row("r1", "Trop d'attente"), row("r2", "trop d'attente"), row("r3", "Costs")]
    batch = bring_in("feedback", rows)
    assert counts(batch) == (3, 0, 0, 0)
    assert "2 labels" in batch.warnings[0]
    assert sorted(UnmappedLabel.objects.values_list("source", "response_count")) == [
        ("helpdesk", 1),
        ("helpdesk", 2),
    ]
    again = bring_in("feedback", rows)
    assert counts(again) == (0, 3, 0, 0)
    assert sum(UnmappedLabel.objects.values_list("response_count", flat=True)) == 3


def test_mapping_a_label_codes_what_waited_and_removing_it_takes_that_back(bring_in: Any, world: None) -> None:
    bring_in("feedback", [HEAD, row("r1", "Queue!"), row("r2", "Queue!"), row("r3", "fees")])
    queue, fees = ChallengeFactory(code="queue"), ChallengeFactory(code="fees")
    alias = create_alias(source="HELPDESK", label="queue!", challenge=queue, actor=None)
    code_labels()
    code_labels()
    assert codings() == [("r1", "queue"), ("r2", "queue"), ("r3", "fees")]
    assert AuditEvent.objects.filter(event="feedback.label.coded").count() == 2
    change_alias(alias=alias, challenge=fees, actor=None)
    code_labels()
    assert codings() == [("r1", "fees"), ("r2", "fees"), ("r3", "fees")]
    remove_alias(alias=alias, actor=None)
    code_labels()
    assert codings() == [("r3", "fees")]
    assert coding.labels_to_code() == []


def test_many_responses_are_coded_in_parts(bring_in: Any, world: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(coding, "BATCH", 2)
    bring_in("feedback", [HEAD, *(row(f"r{number}", "Queue!") for number in range(5))])
    create_alias(source="helpdesk", label="Queue!", challenge=ChallengeFactory(code="queue"), actor=None)
    code_labels()
    assert len(codings()) == 5
    assert UnmappedLabel.objects.get().coded_as is not None


def test_a_merger_leaves_codings_where_they_were_made(bring_in: Any, world: None) -> None:
    old, new = ChallengeFactory(code="old"), ChallengeFactory(code="new")
    bring_in("feedback", [HEAD, row("r1", "old"), row("r2", "What?")])
    create_alias(source="helpdesk", label="What?", challenge=old, actor=None)
    code_labels()
    merge_challenge(challenge=old, into=new, actor=None)
    code_labels()
    again = bring_in("feedback", [HEAD, row("r1", "old"), row("r2", "What?"), row("r3", "old")])
    assert counts(again) == (1, 2, 0, 0)
    assert codings() == [("r1", "old"), ("r2", "old"), ("r3", "new")]


def test_a_response_that_names_another_challenge_waits_no_more(bring_in: Any, world: None) -> None:
    ChallengeFactory(code="queue")
    bring_in("feedback", [HEAD, row("r1", "What?")])
    corrected = bring_in("feedback", [HEAD, row("r1", "queue")])
    assert counts(corrected) == (0, 0, 1, 0)
    assert ResponseLabel.objects.count() == 0
    assert UnmappedLabel.objects.get().response_count == 0
    assert codings() == [("r1", "queue")]


def test_actions_with_an_unknown_challenge_leave_its_label_in_the_inbox(bring_in: Any, world: None) -> None:
    known = ActionFactory(unit__code="REIMS").challenge
    head = ["external_id", "unit", "challenge", "solutions", "effective_on"]
    rows = [head, ["A1", "LILLE", "Long queues", "none", "2024-03-04"]]
    batch = bring_in("actions", rows)
    assert batch.rejected_count == 1
    label = UnmappedLabel.objects.get()
    assert (label.source, label.label, label.rejected_count) == ("actions", "Long queues", 1)
    create_alias(source="actions", label="Long queues", challenge=known, actor=None)
    again = bring_in("actions", rows)
    assert [one["code"] for one in again.reject_sample] == ["unknown_solution"]
