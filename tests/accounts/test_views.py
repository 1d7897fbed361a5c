"""Signing in, settings and keys, choosing a unit, refusals."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import ApiToken, AuditEvent
from tests.factories import PASSWORD, ApiTokenFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db


def sign_in(client, **fields):
    return client.post(reverse("accounts:sign-in"), fields)


def test_signing_in_leads_home(client, manager):
    response = sign_in(client, username="Manager@Example.org", password=PASSWORD)
    assert response.status_code == 302
    assert response.url == reverse("home")


def test_signing_in_leads_to_the_page_that_was_asked_for(client, manager):
    response = sign_in(client, username=manager.email, password=PASSWORD, next="/solutions/")
    assert response.url == "/solutions/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_signing_in_never_leads_to_another_site(client, manager, elsewhere):
    response = sign_in(client, username=manager.email, password=PASSWORD, next=elsewhere)
    assert response.url == reverse("home")


def test_a_wrong_password_says_so_and_keeps_the_address(client, manager):
    response = sign_in(client, username=manager.email, password="wrong")
    assert response.status_code == 422
    assert "do not belong together" in response.content.decode()
    assert manager.email in response.content.decode()


def test_an_unknown_person_gets_the_same_answer(client, db):
    response = sign_in(client, username="nobody@example.org", password="wrong")
    assert "do not belong together" in response.content.decode()


def test_a_person_who_is_signed_in_is_not_asked_again(client, manager):
    client.force_login(manager)
    assert client.get(reverse("accounts:sign-in")).url == reverse("home")


def test_signing_out_needs_a_post(client, manager):
    client.force_login(manager)
    assert client.get(reverse("accounts:sign-out")).status_code == 405
    client.post(reverse("accounts:sign-out"))
    assert client.get(reverse("home")).status_code == 302


def test_a_form_without_its_token_is_refused_in_words(manager):
    client = Client(enforce_csrf_checks=True)
    response = client.post(reverse("accounts:sign-in"), {"username": "a", "password": "b"})
    assert response.status_code == 403
    assert "Nothing was changed" in response.content.decode()


def test_a_person_without_a_role_is_told_what_is_missing(client, db):
    client.force_login(UserFactory())
    response = client.get(reverse("home"))
    assert response.status_code == 404
    assert "no role yet" in response.content.decode()


def test_the_language_follows_the_person(client, manager):
    client.force_login(manager)
    response = client.post(reverse("accounts:settings"), {"name": "Max", "language": "fr"})
    assert response.status_code == 302
    manager.refresh_from_db()
    assert (manager.name, manager.language) == ("Max", "fr")
    page = client.get(reverse("accounts:settings"))
    assert '<html lang="fr">' in page.content.decode()
    assert page.headers["Content-Language"] == "fr"
    assert AuditEvent.objects.filter(event="accounts.user.updated", actor=manager).count() == 1


def test_a_language_that_is_not_spoken_here_is_refused(client, manager):
    client.force_login(manager)
    assert client.post(reverse("accounts:settings"), {"name": "", "language": "xx"}).status_code == 422
    manager.refresh_from_db()
    assert manager.language == "en"


def test_a_key_is_shown_once_and_never_stored_by_a_browser(client, manager):
    client.force_login(manager)
    made = client.post(
        reverse("accounts:token-new"), {"name": "Till", "scopes": ["read", "import"], "lifetime": "30"}
    )
    token = ApiToken.objects.get(user=manager)
    assert token.scopes == ["read", "import"]
    assert token.expires_at is not None
    assert token.prefix in made.content.decode()
    assert made.content.decode().count("cxp_") >= 2
    assert made.headers["Cache-Control"] == "no-store"
    later = client.get(reverse("accounts:settings")).content.decode()
    assert token.prefix in later
    assert 'id="new-token"' not in later


@pytest.mark.parametrize("fields", [{"scopes": ["read"], "lifetime": "30"}, {"name": "Till", "lifetime": "30"}])
def test_a_key_without_name_or_scope_is_refused(client, manager, fields):
    client.force_login(manager)
    assert client.post(reverse("accounts:token-new"), fields).status_code == 422
    assert not ApiToken.objects.exists()


def test_a_revoked_key_works_no_more(client, manager):
    token = ApiTokenFactory(user=manager)
    client.force_login(manager)
    client.post(reverse("accounts:token-revoke", args=[token.pk]))
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_another_person_s_key_can_not_be_revoked(client, manager, outsider):
    token = ApiTokenFactory(user=outsider)
    client.force_login(manager)
    assert client.post(reverse("accounts:token-revoke", args=[token.pk])).status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_only_units_in_scope_can_be_chosen(client, manager, chain):
    client.force_login(manager)
    page = client.get(reverse("accounts:choose-unit")).content.decode()
    assert 'value="LILLE"' in page
    assert 'value="NICE"' not in page
    assert client.post(reverse("accounts:choose-unit"), {"unit": "NICE"}).status_code == 404


def test_a_chosen_unit_stays_chosen(client, lead, chain):
    client.force_login(lead)
    response = client.post(reverse("accounts:choose-unit"), {"unit": "nice", "next": "/challenges/"})
    assert response.url == "/challenges/"
    assert client.get("/challenges/").wsgi_request.unit == chain.nice


@pytest.mark.parametrize("query", ["arl", "ARLES", "Arls"])
def test_a_unit_is_found_by_a_part_of_its_name_or_nearly(client, lead, chain, query):
    client.force_login(lead)
    page = client.get(reverse("accounts:choose-unit"), {"q": query}).content.decode()
    assert 'value="ARLES"' in page
    assert 'value="LILLE"' not in page


def test_a_search_that_finds_nothing_says_so(client, lead, chain):
    client.force_login(lead)
    assert "No unit of yours" in client.get(reverse("accounts:choose-unit"), {"q": "zzzz"}).content.decode()


def test_accents_do_not_matter(client, lead, chain):
    UnitFactory(code="ORL", name="Orléans", parent=chain.north)
    client.force_login(lead)
    assert 'value="ORL"' in client.get(reverse("accounts:choose-unit"), {"q": "orlean"}).content.decode()


def test_the_list_of_units_is_also_a_fragment(client, lead, chain):
    client.force_login(lead)
    response = client.get(reverse("accounts:choose-unit"), headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()


def test_units_are_listed_in_a_constant_number_of_queries(client, lead, chain, django_assert_num_queries):
    client.force_login(lead)
    for number in range(20):
        UnitFactory(name=f"Branch {number}", parent=chain.north)
    with django_assert_num_queries(7):
        client.get(reverse("accounts:choose-unit"))
