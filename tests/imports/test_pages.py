"""The Data area as a lead meets it."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Role, Unit, User
from apps.imports import tasks
from apps.imports.models import ImportBatch
from apps.imports.services import run_import
from tests.conftest import Chain
from tests.factories import MembershipFactory, UnitFactory
from tests.importing import Importer

UNITS = b"code,name,size\nMETZ,Metz,12\nbad code,Nowhere,1\n"


@pytest.fixture
def page(client: Client, lead: User) -> Client:
    client.force_login(lead)
    return client


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Batches for which a worker was asked; the broker is the seam."""
    ids: list[int] = []
    monkeypatch.setattr(tasks.run, "delay", lambda *, batch_id: ids.append(batch_id))
    return ids


def upload(**fields: Any) -> dict[str, Any]:
    return {"kind": "units", "file": SimpleUploadedFile("units.csv", UNITS), "source": "", **fields}


def test_a_lead_sees_an_invitation_before_the_first_import(page: Client) -> None:
    assert "Nothing has come in yet" in page.get(reverse("imports:batch-list")).content.decode()


def test_an_upload_is_received_and_handed_to_a_worker(
    page: Client, asked: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = page.post(reverse("imports:batch-new"), upload())
    batch = ImportBatch.objects.get()
    assert answer["Location"] == reverse("imports:batch", args=[batch.pk])
    assert asked == [batch.pk]
    assert batch.state == ImportBatch.State.RECEIVED


def test_a_waiting_import_polls_and_a_finished_one_does_not(page: Client, asked: list[int]) -> None:
    page.post(reverse("imports:batch-new"), upload())
    batch = ImportBatch.objects.get()
    address = reverse("imports:batch", args=[batch.pk])
    waiting = page.get(address, headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 1s"' in waiting
    assert "<html" not in waiting
    run_import(batch=batch)
    done = page.get(address).content.decode()
    assert "hx-trigger" not in done.partition('id="batch"')[2].partition(">")[0]
    assert "bad_code" not in done
    assert "is no code" in done
    assert Unit.objects.filter(code="METZ", attributes={"size": "12"}).exists()


def test_rejected_rows_are_downloaded_with_their_reason(page: Client, asked: list[int]) -> None:
    page.post(reverse("imports:batch-new"), upload())
    batch = run_import(batch=ImportBatch.objects.get())
    answer = page.get(reverse("imports:batch-rejects", args=[batch.pk]))
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[0] == "code,name,size,line,field,code,message"
    assert lines[1].startswith("bad code,Nowhere,1,3,code,bad_code,")


def test_a_refused_file_says_what_helps(page: Client, bring_in: Importer, lead: User) -> None:
    batch = bring_in("units", "code;label\nmetz;Metz\n", actor=lead)
    shown = page.get(reverse("imports:batch", args=[batch.pk])).content.decode()
    assert "Nothing of this file was imported" in shown
    assert "The column “name” is missing" in shown


def test_a_broken_mapping_is_told_beside_its_field(page: Client, asked: list[int]) -> None:
    answer = page.post(reverse("imports:batch-new"), upload(mapping=SimpleUploadedFile("map.toml", b"fields = 3")))
    assert answer.status_code == 422
    assert "needs a table [fields]" in answer.content.decode()
    assert not ImportBatch.objects.exists()


def test_the_mapping_of_an_earlier_import_can_be_used_again(
    page: Client, asked: list[int], bring_in: Importer, lead: User
) -> None:
    mapping = {"fields": {"code": "id", "name": "label"}}
    earlier = bring_in("units", "id,label\nx,X\n", mapping=mapping, actor=lead)
    page.post(reverse("imports:batch-new"), upload(earlier=earlier.pk))
    assert ImportBatch.objects.latest("pk").mapping == mapping


def test_people_are_imported_by_administrators_only(page: Client, asked: list[int]) -> None:
    answer = page.post(reverse("imports:batch-new"), upload(kind="people"))
    assert answer.status_code == 422


def test_a_lead_of_a_part_sees_only_their_own_imports(
    client: Client, chain: Chain, bring_in: Importer, lead: User
) -> None:
    from apps.accounts.models import Role
    from tests.factories import MembershipFactory

    batch = bring_in("units", UNITS, actor=lead)
    other = MembershipFactory(unit=chain.north, role=Role.LEAD).user
    client.force_login(other)
    assert client.get(reverse("imports:batch", args=[batch.pk])).status_code == 404
    assert "units.csv" not in client.get(reverse("imports:batch-list")).content.decode()


def test_a_manager_finds_no_data_area(client: Client, manager: User) -> None:
    client.force_login(manager)
    assert client.get(reverse("imports:batch-list")).status_code == 404


def test_the_list_takes_a_constant_number_of_queries(
    page: Client, bring_in: Importer, lead: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        bring_in("units", f"code,name\nu{number},U\n", actor=lead)
    with django_assert_max_num_queries(9):
        page.get(reverse("imports:batch-list"))


def test_who_leads_a_part_of_the_organisation_brings_nothing_in(
    client: Client, api: Any, chain: Chain, lead: User
) -> None:
    """A file may name any unit, so it needs somebody who leads all of them."""
    regional = MembershipFactory(unit=chain.north, role=Role.LEAD).user
    client.force_login(regional)
    assert client.get(reverse("imports:batch-new")).status_code == 404
    assert client.post(reverse("imports:batch-new"), upload()).status_code == 404
    answer = api(regional).post("/api/v1/imports/?kind=units", UNITS, content_type="text/csv")
    assert answer.status_code == 403
    assert not ImportBatch.objects.exists()
    # A second root makes the lead of the first one a lead of a part.
    UnitFactory(code="OTHER")
    assert api(lead).post("/api/v1/imports/?kind=units", UNITS, content_type="text/csv").status_code == 403
