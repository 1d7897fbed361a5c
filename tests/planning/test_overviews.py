"""The views of plans: one filter bar, a table to take along, a timeline, a calendar and its secret feed."""

import csv
import re
from datetime import date, timedelta
from io import BytesIO
from itertools import pairwise

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from apps.accounts.models import Membership, User
from apps.planning import action_export, action_filters
from apps.planning.action_timeline import BARS_A_UNIT, Timeline
from apps.planning.calendar_days import SHOWN_A_DAY
from apps.planning.feeds import renew_feed, revoke_feed
from apps.planning.icalendar import folded
from apps.planning.models import Action
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import ActionFactory, EventFactory, UnitFactory
from tests.planning.helpers import SignIn, text_of
from tests.planning_factories import DrawFactory, TaskFactory

VIEWS = ["action-list", "action-table", "action-timeline", "action-calendar"]


def today() -> date:
    return timezone.localdate()


@pytest.fixture
def world(chain: Chain, planned: Action, manager: User, challenge: Challenge) -> Action:
    Action.objects.filter(pk=planned.pk).update(planned_on=today())
    ActionFactory(
        unit=chain.reims, challenge=challenge, state="applied", effective_on=today() - timedelta(weeks=2)
    )
    EventFactory(unit=chain.lille, name="Summer sale", starts_on=today(), ends_on=today())
    TaskFactory(action=planned, title="Print; the, card", due_on=today(), assignee=manager)
    DrawFactory(plan=planned.plan, reads_on=today())
    return planned


@pytest.mark.parametrize("name", VIEWS)
def test_the_filters_hold_in_every_view_and_in_the_switch(
    signed_in: SignIn, lead: User, world: Action, name: str
) -> None:
    response = signed_in(lead).get(reverse(f"planning:{name}"), {"state": "planned", "unit": "NORTH"})
    page = response.content.decode()
    assert response.status_code == 200
    assert "Queue training" in page
    switch = re.findall(r'href="(/plans/[a-z/]*\?[^"]*)"', page)
    assert any("state=planned" in one and "unit=NORTH" in one for one in switch)
    nothing = signed_in(lead).get(reverse(f"planning:{name}"), {"owner": "me"})
    assert "Queue training" not in text_of(nothing)


@pytest.mark.parametrize("name", VIEWS)
def test_more_actions_cost_no_more_queries(
    signed_in: SignIn, lead: User, world: Action, name: str, chain: Chain, challenge: Challenge
) -> None:
    client = signed_in(lead)
    address = reverse(f"planning:{name}")
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for number in range(12):
        unit = UnitFactory(parent=chain.south)
        fields = {"unit": unit, "challenge": challenge, "owner": lead}
        ActionFactory(**fields, state="applied", effective_on=today() - timedelta(weeks=2))
        waiting = ActionFactory(**fields, state="planned", effective_on=None, planned_on=today(), plan=world.plan)
        TaskFactory(action=waiting, due_on=today())
        EventFactory(unit=unit, name=f"Event {number}", starts_on=today(), ends_on=today())
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) <= len(few)


def test_cards_move_only_where_their_state_allows(signed_in: SignIn, manager: User, world: Action) -> None:
    page = signed_in(manager).get(reverse("planning:action-list")).content.decode()
    assert reverse("planning:action-apply", args=[world.external_id]) in page
    assert reverse("planning:action-stop", args=[world.external_id]) not in page


def test_staff_move_nothing(signed_in: SignIn, staff: User, world: Action) -> None:
    assert "cx-ticket__move" not in signed_in(staff).get(reverse("planning:action-list")).content.decode()


def test_the_table_is_sorted_both_ways(signed_in: SignIn, lead: User, world: Action) -> None:
    address = reverse("planning:action-table")
    up = text_of(signed_in(lead).get(address, {"sort": "unit"}))
    down = text_of(signed_in(lead).get(address, {"sort": "-unit"}))
    assert up.index("Lille") < up.index("Reims")
    assert down.index("Reims") < down.index("Lille")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_file_of_the_table_runs_nothing(
    signed_in: SignIn, lead: User, world: Action, chain: Chain, form: str
) -> None:
    chain.lille.name = '=HYPERLINK("http://evil")'
    chain.lille.save(update_fields=["name"])
    response = signed_in(lead).get(reverse("planning:action-export"), {"format": form, "unit": "LILLE"})
    body = response.getvalue()
    if form == "csv":
        rows = list(csv.reader(body.decode("utf-8-sig").splitlines()))
    else:
        rows = CalamineWorkbook.from_filelike(BytesIO(body)).get_sheet_by_index(0).to_python()
    assert len(rows) == 2
    assert rows[1][2] == '\'=HYPERLINK("http://evil")'


def rows_of_export(signed_in: SignIn, user: User, **asked: str) -> list[list[str]]:
    body = signed_in(user).get(reverse("planning:action-export"), asked).getvalue()
    return list(csv.reader(body.decode("utf-8-sig").splitlines()))


def test_a_file_has_the_rows_that_are_on_screen(signed_in: SignIn, lead: User, world: Action) -> None:
    heads, *rows = rows_of_export(signed_in, lead, state="planned", sort="unit")
    assert [len(row) for row in rows] == [len(heads)]
    assert rows[0][:6] == [world.external_id, "LILLE", "Lille", str(world.challenge), "Queue training", "Planned"]
    assert len(rows_of_export(signed_in, lead)) == 3
    assert len(rows_of_export(signed_in, lead, q="nothing like it")) == 1


def test_a_file_is_in_the_language_of_whoever_asks(signed_in: SignIn, lead: User, world: Action) -> None:
    User.objects.filter(pk=lead.pk).update(language="fr")
    lead.refresh_from_db()
    heads, row, *_more = rows_of_export(signed_in, lead, state="planned")
    assert "Unité" in heads
    assert "Planifié" in row[5]


def test_a_file_costs_at_most_two_queries_for_each_share_of_its_rows(
    signed_in: SignIn, lead: User, world: Action, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    ActionFactory.create_batch(7, unit=chain.nice)
    asked: list[int] = []
    rows_of_export(signed_in, lead)
    for chunk in (100, 3):
        monkeypatch.setattr(action_export, "CHUNK", chunk)
        with CaptureQueriesContext(connection) as captured:
            assert len(rows_of_export(signed_in, lead)) == 10
        asked.append(len(captured))
    assert 0 < asked[1] - asked[0] <= 2 * 2


def test_who_sees_to_an_action_is_found_by_name_and_by_several_words(
    signed_in: SignIn, lead: User, world: Action
) -> None:
    client = signed_in(lead)
    for words in ("max", "queue lille", "training manager"):
        assert world.external_id in client.get(reverse("planning:action-list"), {"q": words}).content.decode()
    assert (
        world.external_id not in client.get(reverse("planning:action-list"), {"q": "queue nice"}).content.decode()
    )


def test_too_many_people_to_choose_from_are_left_to_the_search(
    signed_in: SignIn, lead: User, world: Action, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(lead)
    address = reverse("planning:action-table")
    assert f'<option value="{manager.pk}"' in client.get(address).content.decode()
    monkeypatch.setattr(action_filters, "OWNERS_SHOWN", 0)
    assert f'<option value="{manager.pk}"' not in client.get(address).content.decode()
    assert f'<option value="{manager.pk}" selected' in client.get(address, {"owner": manager.pk}).content.decode()


def timeline_of(signed_in: SignIn, user: User, **asked: str) -> Timeline:
    found: Timeline = signed_in(user).get(reverse("planning:action-timeline"), asked).context["timeline"]
    return found


def test_a_running_action_goes_on_at_the_line_of_today(signed_in: SignIn, lead: User, world: Action) -> None:
    shown = timeline_of(signed_in, lead)
    lanes = {lane.unit: lane for lane in shown.lanes.object_list}
    (planned,), (running,) = lanes["Lille"].bars, lanes["Reims"].bars
    assert (running.look, running.first, running.last) == ("running", 14, 16)
    assert (planned.look, planned.first, planned.last) == ("planned", 16, 19)
    assert shown.today == 16
    assert [band.name for band in lanes["Lille"].bands] == ["Summer sale"]


def test_an_ended_action_ends_and_one_of_long_ago_begins_before(
    signed_in: SignIn, lead: User, chain: Chain
) -> None:
    ActionFactory(
        unit=chain.nice,
        state="stopped",
        effective_on=today() - timedelta(weeks=30),
        ended_on=today() - timedelta(weeks=6),
    )
    (lane,) = timeline_of(signed_in, lead).lanes.object_list
    (bar,) = lane.bars
    assert (bar.look, bar.first, bar.last, bar.begins_before) == ("ended", 0, 10, True)


def test_the_timeline_moves_in_whole_weeks_from_today(signed_in: SignIn, lead: User, world: Action) -> None:
    asked = today() - timedelta(weeks=3, days=2)
    shown = timeline_of(signed_in, lead, **{"from": asked.isoformat()})
    assert (today() - shown.start).days % 7 == 0
    assert shown.today == 3
    assert timeline_of(signed_in, lead, **{"from": "2031-01-01"}).today is None


def test_an_event_of_all_units_stands_once_above_the_units(signed_in: SignIn, lead: User, world: Action) -> None:
    EventFactory(unit=None, name="Strike", starts_on=today(), ends_on=None)
    page = signed_in(lead).get(reverse("planning:action-timeline")).content.decode()
    assert page.count("Strike") == 2  # its text and its title
    assert page.index("Everywhere") < page.index("Strike") < page.index("Lille")


def test_the_names_states_and_days_of_bars_can_be_read_as_a_list(
    signed_in: SignIn, lead: User, world: Action
) -> None:
    shown = text_of(signed_in(lead).get(reverse("planning:action-timeline")))
    assert "Queue training , Planned" in shown
    assert "Event: Summer sale" in shown


def test_a_unit_with_many_actions_shows_the_newest_and_leads_to_the_others(
    signed_in: SignIn, lead: User, chain: Chain
) -> None:
    for days in range(BARS_A_UNIT + 3):
        ActionFactory(unit=chain.nice, effective_on=today() - timedelta(days=days))
    response = signed_in(lead).get(reverse("planning:action-timeline"))
    (lane,) = response.context["timeline"].lanes.object_list
    assert (len(lane.bars), lane.more) == (BARS_A_UNIT, 3)
    assert f"{reverse('planning:action-table')}?unit=NICE" in response.content.decode()


def test_a_month_shows_starts_check_ins_tasks_events_and_read_outs(
    signed_in: SignIn, lead: User, world: Action
) -> None:
    shown = text_of(signed_in(lead).get(reverse("planning:action-calendar")))
    for kind in ("Planned start", "Check-in", "Print; the, card", "Summer sale", "Read-out"):
        assert kind in shown


def test_a_full_day_shows_the_first_and_leads_to_all_of_them(
    signed_in: SignIn, lead: User, chain: Chain, challenge: Challenge
) -> None:
    for number in range(60):
        EventFactory(unit=chain.nice, name=f"Event {number}", starts_on=today(), ends_on=today())
    ActionFactory(unit=chain.nice, effective_on=today(), external_id="LAST-ONE")
    client = signed_in(lead)
    response = client.get(reverse("planning:action-calendar"), {"unit": "NICE"})
    (day,) = (day for day in response.context["month"].days if day.is_today)
    assert (len(day.entries), day.more) == (SHOWN_A_DAY, 61 - SHOWN_A_DAY)
    page = response.content.decode()
    assert f"{61 - SHOWN_A_DAY} more" in page
    assert f"?unit=NICE&amp;day={today():%Y-%m-%d}" in page

    asked = {"unit": "NICE", "day": today().isoformat()}
    first = client.get(reverse("planning:action-calendar"), asked)
    assert "61 entries fall on this day" in text_of(first)
    assert "LAST-ONE" not in first.content.decode()
    assert "LAST-ONE" in client.get(reverse("planning:action-calendar"), asked | {"page": "2"}).content.decode()


def test_a_day_on_which_nothing_falls_says_so(signed_in: SignIn, lead: User, chain: Chain) -> None:
    page = signed_in(lead).get(reverse("planning:action-calendar"), {"day": "2031-05-05"})
    assert "Nothing falls on this day" in text_of(page)


def test_a_day_costs_no_more_queries_when_more_falls_on_it(
    signed_in: SignIn, lead: User, world: Action, chain: Chain, challenge: Challenge
) -> None:
    client = signed_in(lead)
    asked = {"day": today().isoformat()}
    client.get(reverse("planning:action-calendar"), asked)
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("planning:action-calendar"), asked)
    for _ in range(5):
        ActionFactory(unit=chain.nice, challenge=challenge, effective_on=today())
        TaskFactory(action=world, due_on=today())
        EventFactory(unit=chain.nice, starts_on=today(), ends_on=today())
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("planning:action-calendar"), asked)
    assert len(many) <= len(few)


def test_an_event_that_lasts_says_until_when(signed_in: SignIn, lead: User, chain: Chain) -> None:
    EventFactory(unit=chain.nice, name="Works", starts_on=today(), ends_on=today() + timedelta(days=9))
    assert "until" in text_of(signed_in(lead).get(reverse("planning:action-calendar")))


@pytest.mark.parametrize("name", ["action-calendar", "action-timeline"])
def test_today_is_that_of_the_unit_looked_at(
    signed_in: SignIn, manager: User, chain: Chain, applied: Action, name: str
) -> None:
    def today_shown(zone: str) -> date:
        chain.lille.timezone = zone
        chain.lille.save(update_fields=["timezone"])
        context = signed_in(manager).get(reverse(f"planning:{name}")).context
        if name == "action-timeline":
            shown: Timeline = context["timeline"]
            return shown.start + timedelta(weeks=shown.today or 0)
        (day,) = (day.day for day in context["month"].days if day.is_today)
        return day

    # Twenty-five hours lie between the two: it is never the same day in both.
    assert today_shown("Pacific/Kiritimati") > today_shown("Pacific/Pago_Pago")


# The feed


def unfolded(body: str) -> list[str]:
    return body.replace("\r\n ", "").split("\r\n")


def test_a_feed_needs_nothing_but_its_secret_and_tells_what_is_mine(
    manager: User, world: Action, client: Client
) -> None:
    secret = renew_feed(user=manager, actor=manager)
    response = client.get(reverse("planning:feed", args=[secret]))
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    body = response.content.decode()
    lines = unfolded(body)
    assert f"UID:start-{world.pk}@testserver" in lines
    assert f"DTSTART;VALUE=DATE:{today():%Y%m%d}" in lines
    assert f"DTEND;VALUE=DATE:{today() + timedelta(days=1):%Y%m%d}" in lines
    assert any(line.startswith("SUMMARY:Task: Print\\; the\\, card") for line in lines)
    assert any("Summer sale" in line for line in lines)
    assert all(len(line.encode()) <= 75 for line in body.split("\r\n"))
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") >= 3
    again = client.get(reverse("planning:feed", args=[secret])).content.decode()
    uids = [line for line in unfolded(again) if line.startswith("UID:")]
    assert uids == [line for line in lines if line.startswith("UID:")]
    assert len(set(uids)) == len(uids)


def test_a_feed_tells_no_more_than_its_person_may_see_now(manager: User, world: Action, client: Client) -> None:
    secret = renew_feed(user=manager, actor=manager)
    Membership.objects.filter(user=manager).delete()
    body = client.get(reverse("planning:feed", args=[secret])).content.decode()
    assert "BEGIN:VCALENDAR" in body
    assert "BEGIN:VEVENT" not in body.replace("Everywhere", "")
    manager.is_active = False
    manager.save(update_fields=["is_active"])
    assert client.get(reverse("planning:feed", args=[secret])).status_code == 404


def test_a_renewed_or_revoked_address_no_longer_works(manager: User, client: Client) -> None:
    first = renew_feed(user=manager, actor=manager)
    second = renew_feed(user=manager, actor=manager)
    assert client.get(reverse("planning:feed", args=[first])).status_code == 404
    assert client.get(reverse("planning:feed", args=[second])).status_code == 200
    assert revoke_feed(user=manager, actor=manager)
    assert client.get(reverse("planning:feed", args=[second])).status_code == 404


def test_the_address_is_shown_once(signed_in: SignIn, manager: User) -> None:
    client = signed_in(manager)
    response = client.post(reverse("planning:feed-renew"))
    assert response["Cache-Control"] == "no-store"
    (address,) = re.findall(r"http://testserver(/calendar/[\w-]+\.ics)", response.content.decode())
    assert Client().get(address).status_code == 200
    assert address not in client.get(reverse("planning:action-calendar")).content.decode()


def test_lines_are_folded_between_characters() -> None:
    line = "SUMMARY:" + "é" * 100
    parts = folded(line).split("\r\n")
    assert all(len(part.encode()) <= 75 for part in parts)
    assert parts[0] + "".join(part[1:] for part in parts[1:]) == line
    assert all(after.startswith(" ") for _, after in pairwise(parts))
