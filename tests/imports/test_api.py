"""Files over the API: streamed in, followed, and given back where they were rejected."""

import gzip
import io
import tracemalloc
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from apps.accounts.models import Role, User
from apps.feedback.models import Response
from apps.imports.models import ImportBatch
from apps.imports.services import run_import
from tests.factories import ImportBatchFactory, MembershipFactory, MetricFactory

pytestmark = pytest.mark.django_db
IMPORTS = "/api/v1/imports/"
HEADER = b"source,external_id,unit,occurred_at,metric,value\n"
ROWS = HEADER + b"survey,1,LILLE,2024-01-02,csat,8\nsurvey,2,NOWHERE,2024-01-02,csat,7\n"


@pytest.fixture(autouse=True)
def csat(db):
    return MetricFactory(code="csat")


def send(client, body=ROWS, query="kind=feedback", content_type="text/csv", **headers):
    return client.post(f"{IMPORTS}?{query}", body, content_type=content_type, headers=headers)


def test_a_file_is_taken_in_and_can_be_followed_to_its_end(api, lead):
    client = api(lead)
    answer = send(client)
    assert answer.status_code == 202, answer.json()
    row = answer.json()
    assert (row["state"], row["kind"], row["bytes"], row["actor"]) == (
        "received",
        "feedback",
        len(ROWS),
        lead.email,
    )
    assert client.get(answer["Location"]).json() == row
    run_import(batch=ImportBatch.objects.get(pk=row["id"]))
    row = client.get(answer["Location"]).json()
    assert (row["state"], row["progress"], row["error"]) == ("finished", 100, None)
    assert (row["rows"], row["accepted"], row["rejected"], row["duplicates"], row["corrected"]) == (2, 1, 1, 0, 0)
    assert row["rejected_rows"][0]["line"] == 3
    assert row["rejected_rows"][0]["field"] == "unit"
    assert row["seconds"] >= 0
    assert Response.objects.count() == 1
    file = client.get(row["rejects"])
    assert file.status_code == 200
    assert "attachment" in file["Content-Disposition"]
    lines = b"".join(file.streaming_content).decode().splitlines()
    assert lines[0] == HEADER.decode().strip() + ",line,field,code,message"
    assert lines[1].startswith("survey,2,NOWHERE,")
    assert client.get(row["rejects"], headers={"Accept": "text/csv"}).status_code == 200


def test_receiving_wakes_a_worker(api, lead, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        send(api(lead))
    assert len(callbacks) == 1


def test_a_broker_that_is_down_does_not_lose_the_file(api, lead, django_capture_on_commit_callbacks, monkeypatch):
    def refuse(*_, **__):
        raise ConnectionError("no broker")

    monkeypatch.setattr("kombu.messaging.Producer.publish", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        answer = send(api(lead))
    assert answer.status_code == 202
    assert ImportBatch.objects.get().state == "received"


@pytest.mark.parametrize(
    ("content_type", "body", "name"),
    [
        ("text/csv; charset=utf-8", ROWS, "body.csv"),
        ("application/gzip", gzip.compress(ROWS, mtime=0), "body.csv.gz"),
        (
            "application/x-ndjson",
            b'{"source":"s","external_id":"1","unit":"LILLE","occurred_at":"2024-01-02","metric":"csat","value":8}\n',
            "body.ndjson",
        ),
        ("application/octet-stream", ROWS, "body.csv"),
    ],
)
def test_every_form_of_file_comes_in(api, lead, content_type, body, name):
    answer = send(api(lead), body, content_type=content_type)
    assert answer.status_code == 202, answer.json()
    assert answer.json()["file"] == name
    batch = run_import(batch=ImportBatch.objects.get())
    assert (batch.state, batch.accepted_count) == ("finished", 1), batch.error


def test_a_form_may_carry_the_file_and_its_options(api, lead):
    file = SimpleUploadedFile("answers.csv", ROWS, "text/csv")
    answer = api(lead).post(
        IMPORTS, {"kind": "feedback", "strict": "true", "dry_run": "1", "source": "shop", "file": file},
        format="multipart",
    )  # fmt: skip
    assert answer.status_code == 202, answer.json()
    row = answer.json()
    assert (row["file"], row["strict"], row["dry_run"], row["source"]) == ("answers.csv", True, True, "shop")
    run_import(batch=ImportBatch.objects.get())
    assert not Response.objects.exists()


def test_a_large_part_of_a_form_is_read_from_disk(api, lead):
    body = HEADER + b"".join(b"survey,%d,LILLE,2024-01-02,csat,8\n" % number for number in range(120_000))
    file = SimpleUploadedFile("answers.csv", body, "text/csv")
    answer = api(lead).post(f"{IMPORTS}?kind=feedback", {"file": file}, format="multipart")
    assert (answer.status_code, answer.json()["bytes"]) == (202, len(body))


def test_a_mapping_comes_along(api, lead):
    mapping = """
        [fields]
        source = { constant = "till" }
        external_id = "ticket"
        unit = "shop"
        occurred_at = "day"
        metric = { constant = "csat" }
        value = "stars"
    """
    body = b"ticket,shop,day,stars\n7,LILLE,2024-01-02,9\n"
    file, text = SimpleUploadedFile("t.csv", body), SimpleUploadedFile("m.toml", mapping.encode())
    client = api(lead)
    answer = client.post(f"{IMPORTS}?kind=feedback", {"file": file, "map": text}, format="multipart")
    assert answer.status_code == 202, answer.json()
    batch = run_import(batch=ImportBatch.objects.get())
    assert (batch.state, batch.accepted_count) == ("finished", 1), batch.error
    answer = send(client, body, query="kind=feedback&map=%5Bfields")
    assert (answer.status_code, answer.json()["code"]) == (422, "mapping")


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("", "#/kind", "required"),
        ("kind=unicorns", "#/kind", "invalid_choice"),
        ("kind=feedback&strict=perhaps", "#/strict", "invalid"),
        ("kind=feedback&colour=blue", "#/colour", "unknown_field"),
        ("kind=feedback&source=%00", "#/source", "null_characters_not_allowed"),
    ],
)
def test_options_that_mean_nothing_are_named(api, lead, query, pointer, code):
    answer = send(api(lead), query=query)
    assert answer.status_code == 400
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]
    assert not ImportBatch.objects.exists()


def test_a_source_must_be_a_code(api, lead):
    answer = send(api(lead), query="kind=feedback&source=%C3%A9t%C3%A9")
    assert (answer.status_code, answer.json()["code"]) == (422, "import_refused")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-www-form-urlencoded", "text/html", "multipart/mixed"]
)
def test_what_is_no_file_is_a_415(api, lead, content_type):
    answer = send(api(lead), content_type=content_type)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_form_without_a_file_is_told_so(api, lead):
    answer = api(lead).post(f"{IMPORTS}?kind=feedback", {"source": "x"}, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (400, "file_missing")


def test_a_broken_form_is_a_400(api, lead):
    answer = send(api(lead), b"--x", content_type="multipart/form-data")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_more_than_may_come_in_is_a_413_before_it_is_read(api, lead, settings):
    settings.IMPORT_MAX_BYTES = 50
    answer = send(api(lead))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert not ImportBatch.objects.exists()


def test_a_body_that_breaks_off_is_not_taken_for_the_whole(api, lead):
    answer = api(lead).generic(
        "POST",
        f"{IMPORTS}?kind=feedback",
        content_type="text/csv",
        **{"wsgi.input": io.BytesIO(ROWS), "CONTENT_LENGTH": str(len(ROWS) + 1)},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "body_cut_off")
    assert not ImportBatch.objects.exists()


def test_a_body_without_a_length_is_read_to_its_end(api, lead):
    answer = api(lead).generic(
        "POST",
        f"{IMPORTS}?kind=feedback",
        content_type="text/csv",
        **{"wsgi.input": io.BytesIO(ROWS), "CONTENT_LENGTH": "", "wsgi.input_terminated": True},
    )
    assert (answer.status_code, answer.json()["bytes"]) == (202, len(ROWS))


class Endless:
    """A body of `size` bytes that exists nowhere at once."""

    def __init__(self, size):
        self.left = size

    def read(self, size=-1):
        size = self.left if size < 0 else min(size, self.left)
        self.left -= size
        return b"x" * size

    readline = read


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "big"}], ids=["plain", "with a key"])
def test_memory_stays_flat_whatever_the_size(api, lead, headers):
    size = 200 * 1024**2
    client = api(lead)
    send(client)
    tracemalloc.start()
    try:
        answer = client.generic(
            "POST",
            f"{IMPORTS}?kind=feedback",
            content_type="text/csv",
            headers=headers,
            **{"wsgi.input": Endless(size), "CONTENT_LENGTH": str(size)},
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answer.status_code, answer.json()["bytes"]) == (202, size)
    assert peak < 16 * 1024**2
    batch = ImportBatch.objects.get(pk=answer.json()["id"])
    batch.file.delete(save=False)


def test_a_repeated_upload_is_one_import(api, lead):
    client = api(lead)
    first = send(client, **{"Idempotency-Key": "nightly"})
    second = send(client, **{"Idempotency-Key": "nightly"})
    assert second.json() == first.json()
    assert second["Location"] == first["Location"]
    assert ImportBatch.objects.count() == 1
    other = send(client, ROWS + b"\n", **{"Idempotency-Key": "nightly"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    other = send(client, query="kind=feedback&dry_run=true", **{"Idempotency-Key": "nightly"})
    assert other.status_code == 422


def test_only_leads_with_the_right_token_import(api, lead, manager, staff):
    assert send(api(manager)).status_code == 403
    assert send(api(staff)).status_code == 403
    assert send(api(lead, ["read", "write"])).status_code == 403
    client = api(lead, ["import"])
    answer = send(client)
    assert answer.status_code == 202
    assert client.get(answer["Location"]).status_code == 200
    assert client.get("/api/v1/units/").status_code == 403


def test_only_administrators_bring_people_in(api, lead, admin_user):
    people = b"email,unit,role\nnew@example.org,LILLE,admin\n"
    assert send(api(lead), people, query="kind=people").status_code == 403
    assert send(api(admin_user), people, query="kind=people").status_code == 202
    assert not User.objects.filter(email="new@example.org").exists()


def test_a_lead_of_one_region_sees_their_own_imports_only(api, chain, lead):
    northern = MembershipFactory(unit=chain.north, role=Role.LEAD).user
    own, other = ImportBatchFactory(actor=northern), ImportBatchFactory(actor=lead)
    client = api(northern)
    assert [row["id"] for row in client.get(IMPORTS).json()["results"]] == [own.pk]
    assert client.get(f"{IMPORTS}{other.pk}/").status_code == 404
    assert len(api(lead).get(IMPORTS).json()["results"]) == 2


def test_an_import_without_rejects_has_no_file_of_them(api, lead):
    batch = ImportBatchFactory()
    answer = api(lead).get(f"{IMPORTS}{batch.pk}/rejects/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer["Content-Type"] == "application/problem+json"


def test_a_failed_import_says_why(api, lead):
    send(api(lead), b"", query="kind=feedback")
    run_import(batch=ImportBatch.objects.get())
    row = api(lead).get(IMPORTS).json()["results"][0]
    assert row["state"] == "failed"
    assert row["error"]["message"]


def test_imports_are_listed_newest_first_and_filtered(api, lead):
    now = timezone.now()
    ImportBatchFactory(
        started_at=now, finished_at=now + timedelta(seconds=2), rejects=ContentFile(b"x", name="r.csv")
    )
    ImportBatchFactory(kind="units", state="failed")
    client = api(lead)
    rows = client.get(IMPORTS).json()["results"]
    assert [row["kind"] for row in rows] == ["units", "feedback"]
    assert rows[1]["seconds"] == 2
    assert [row["kind"] for row in client.get(f"{IMPORTS}?state=failed").json()["results"]] == ["units"]
