"""The reference of the methods is a page: readable, safe, and of the file that is installed."""

import os
import re
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.urls import reverse

from apps.accounts.models import Role
from apps.impact.reference import read_reference, render_reference
from apps.impact.stats.results import METHOD
from tests.factories import MembershipFactory, UserFactory


@pytest.fixture
def staff(client):
    user = UserFactory()
    MembershipFactory(user=user, role=Role.STAFF)
    client.force_login(user)
    return client


@pytest.mark.django_db
def test_the_installed_page_is_shown_with_its_contents(staff, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        page = staff.get(reverse("impact:methods-reference")).content.decode()
    assert f'id="{METHOD}"' in page
    assert 'href="#a-worked-example"' in page
    assert page.count("<h1") == 1
    assert "<!--" not in page
    assert "&lt;!--" not in page


@pytest.mark.django_db
def test_a_page_that_is_not_installed_is_said_so(staff, settings, tmp_path):
    settings.METHODS_PAGE = tmp_path / "absent.md"
    page = staff.get(reverse("impact:methods-reference"))
    assert page.status_code == 200
    assert "The reference is not installed here" in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["impact:methods", "impact:methods-reference"])
def test_nobody_reads_it_without_signing_in(client, name):
    assert client.get(reverse(name)).status_code == 302


@pytest.mark.django_db
def test_the_pages_about_trust_lead_to_it(client):
    user = UserFactory()
    MembershipFactory(user=user, role=Role.LEAD)
    client.force_login(user)
    for name in ("methods", "checks", "calibration"):
        assert reverse("impact:methods-reference") in client.get(reverse(f"impact:{name}")).content.decode()


def test_a_file_that_changed_is_read_again(tmp_path):
    path = tmp_path / "methods.md"
    path.write_text("# Title\n\n## First\n", encoding="utf-8")
    assert [heading.title for heading in read_reference(path).contents] == ["First"]
    assert read_reference(path) is read_reference(path)
    path.write_text("# Title\n\n## Second\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert [heading.title for heading in read_reference(path).contents] == ["Second"]


def test_markup_in_the_text_stays_text():
    html = render_reference("# T\n\n<script>alert(1)</script> [x](javascript:alert(1)) ![p](http://a/b.png)").html
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "<img" not in html


def test_headings_have_addresses_of_their_own():
    found = render_reference("# T\n\n## Same\n\n## Same\n\n# `part-1`\n")
    assert [heading.anchor for heading in found.contents] == ["same", "same-more", "part-1"]
    assert [heading.is_part for heading in found.contents] == [False, False, True]
    assert '<h3 id="same">' in found.html


def test_small_tables_become_cards_and_wide_ones_scroll():
    small = render_reference("# T\n\n| a | b |\n|---|---|\n| 1 | 2 |\n").html
    assert "cx-table--cards" in small
    assert '<td data-label="b">2</td>' in small
    wide = render_reference("# T\n\n## <Figures>\n\n|a|b|c|d|e|\n|---|---|---|---|---|\n|1|2|3|4|5|\n").html
    assert "cx-table--cards" not in wide
    assert 'tabindex="0" aria-label="&lt;Figures&gt;"' in wide
    assert '<th scope="row">1</th>' in wide


def test_every_table_of_the_installed_page_is_whole():
    html = read_reference(Path(configured.METHODS_PAGE)).html
    assert html.count("<table") == html.count("</table>") == len(re.findall(r"<div(?: class=\"cx-wide\"|>)", html))
