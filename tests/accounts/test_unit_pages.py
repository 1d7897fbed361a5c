"""Leads change the tree of units on a page, within what they lead."""

from django.test import Client
from django.urls import reverse

from apps.accounts.models import Role, Unit, User
from tests.conftest import Chain
from tests.factories import MembershipFactory


def test_a_lead_merges_two_units(client: Client, chain: Chain, lead: User) -> None:
    client.force_login(lead)
    assert "Lille" in client.get(reverse("accounts:unit-list"), {"q": "lil"}).content.decode()
    address = reverse("accounts:unit-change", args=["LILLE", "merge"])
    assert client.post(address, {"into": "nowhere", "on": "2024-06-05"}).status_code == 422
    assert client.post(address, {"into": "reims", "on": "2024-06-05"}).status_code == 302
    assert Unit.objects.get(code="LILLE").successor == chain.reims
    assert "taken over by Reims" in client.get(reverse("accounts:unit", args=["LILLE"])).content.decode()


def test_a_split_names_its_parts_one_a_line(client: Client, chain: Chain, lead: User) -> None:
    client.force_login(lead)
    address = reverse("accounts:unit-change", args=["NICE", "split"])
    client.post(address, {"parts": "N1 Nice Port\nN2 Nice Gare", "on": "2024-06-05"})
    names = Unit.objects.filter(split_from=chain.nice).values_list("name", flat=True)
    assert set(names) == {"Nice Port", "Nice Gare"}


def test_a_lead_of_a_region_moves_nothing_out_of_it(client: Client, chain: Chain) -> None:
    regional = MembershipFactory(unit=chain.north, role=Role.LEAD).user
    client.force_login(regional)
    address = reverse("accounts:unit-change", args=["LILLE", "move"])
    assert client.post(address, {"parent": "SOUTH", "on": "2024-06-05"}).status_code == 422
    assert client.get(reverse("accounts:unit", args=["NICE"])).status_code == 404
