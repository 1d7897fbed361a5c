"""Solutions are written, revised, restored, published, retired and linked, each time with its audit row."""

from datetime import date, timedelta

import pytest

from apps.accounts.models import AuditEvent
from apps.library.models import SolutionLink, Status
from apps.library.reviews import due_on
from apps.library.services import (
    CodeTaken,
    ReferenceTaken,
    SolutionChanged,
    StatusNotPossible,
    TextNotUsable,
    create_solution,
    free_code,
    link_solution,
    publish_solution,
    restore_version,
    retire_solution,
    revise_solution,
    set_web_links,
    unlink_solution,
)
from apps.library.texts import RecipeText
from tests.factories import ChallengeFactory, SolutionFactory, SolutionLinkFactory, UserFactory

pytestmark = pytest.mark.django_db


def events(subject):
    return list(AuditEvent.objects.about(subject).order_by("pk").values_list("event", flat=True))


@pytest.fixture
def greeter(lead):
    return create_solution(
        text=RecipeText(title="Greet at the door", summary="Look up.", procedure="1. Look up.", why="Being seen."),
        translations={"fr": RecipeText(title="Accueillir à la porte", why="Être vu.")},
        facts={"kind": "sop", "cost": 2, "lag_days": 7, "review_every_months": 6},
        challenges=[ChallengeFactory(code="queue")],
        as_of=date(2026, 8, 31),
        actor=lead,
    )


def test_a_new_solution_has_a_code_a_first_version_and_its_texts(greeter, lead):
    version = greeter.versions.get()
    assert (greeter.code, greeter.status, greeter.author) == ("greet-at-the-door", Status.DRAFT, lead)
    assert (version.number, version.why, version.lag_days, version.author) == (1, "Being seen.", 7, lead)
    assert version.translations.get().why == "Être vu."
    assert (greeter.title_fr, greeter.summary) == ("Accueillir à la porte", "Look up.")
    assert greeter.review_due_on == date(2027, 2, 28)
    assert events(greeter) == ["library.solution.created", "library.solution.linked"]


def test_the_author_may_be_somebody_else_than_who_writes_it_down(lead):
    inventor = UserFactory()
    made = create_solution(
        text=RecipeText(title="Mirror at the desk"),
        facts={"kind": "asset"},
        origin="crowd",
        author=inventor,
        actor=lead,
    )
    assert (made.author, made.versions.get().author, made.origin) == (inventor, inventor, "crowd")


def test_other_words_make_a_version_and_keep_the_old_one(greeter, lead):
    revised = revise_solution(
        solution=greeter,
        text=RecipeText(title="Greet at the door", summary="Smile.", why="Being seen."),
        note="Smiling matters more",
        actor=lead,
    )
    old, new = revised.versions.order_by("number")
    assert (old.summary, new.summary, new.number, new.note) == ("Look up.", "Smile.", 2, "Smiling matters more")
    assert new.translations.get().title == "Accueillir à la porte"
    assert revised.summary == "Smile."
    assert events(greeter)[-1] == "library.solution.revised"


def test_the_same_words_make_no_version_and_no_event(greeter, lead):
    before = events(greeter)
    revise_solution(solution=greeter, text=greeter.versions.get().text, facts={"cost": 2}, actor=lead)
    assert greeter.versions.count() == 1
    assert events(greeter) == before


def test_facts_alone_make_no_version_but_another_delay_does(greeter, lead):
    assert revise_solution(solution=greeter, facts={"cost": 3}, actor=lead).versions.count() == 1
    assert revise_solution(solution=greeter, facts={"lag_days": 21}, actor=lead).versions.count() == 2
    assert greeter.versions.get(number=2).lag_days == 21


def test_an_empty_translation_takes_the_language_away(greeter, lead):
    revised = revise_solution(solution=greeter, translations={"fr": RecipeText()}, actor=lead)
    assert not revised.versions.get(number=2).translations.exists()
    assert revised.versions.get(number=1).translations.exists()


def test_the_second_editor_is_told_and_loses_nothing_of_the_first(greeter, lead):
    seen_at = greeter.updated_at
    revise_solution(solution=greeter, facts={"cost": 4}, actor=lead, seen_at=seen_at)
    with pytest.raises(SolutionChanged):
        revise_solution(solution=greeter, facts={"cost": 1}, actor=lead, seen_at=seen_at - timedelta(seconds=1))
    greeter.refresh_from_db()
    assert greeter.cost == 4


def test_an_old_version_comes_back_as_the_newest(greeter, lead):
    revise_solution(
        solution=greeter,
        text=RecipeText(title="Wave"),
        translations={"fr": RecipeText()},
        actor=lead,
    )
    restored = restore_version(solution=greeter, number=1, actor=lead)
    newest = restored.versions.get(number=3)
    assert newest.text == restored.versions.get(number=1).text
    assert newest.translations.get().title == "Accueillir à la porte"
    assert (restored.title, restored.title_fr) == ("Greet at the door", "Accueillir à la porte")


def test_a_solution_is_published_retired_and_comes_back(greeter, lead):
    assert publish_solution(solution=greeter, actor=lead).status == Status.PUBLISHED
    with pytest.raises(StatusNotPossible):
        publish_solution(solution=greeter, actor=lead)
    assert retire_solution(solution=greeter, reason="Nobody needs it.", actor=lead).status == Status.RETIRED
    assert publish_solution(solution=greeter, actor=lead).status == Status.PUBLISHED
    assert events(greeter)[2:] == [
        "library.solution.published",
        "library.solution.retired",
        "library.solution.published",
    ]


def test_a_link_carries_its_reason_and_a_link_from_use_is_vouched_for(greeter, lead):
    used = SolutionLinkFactory(solution=greeter, is_seen_in_use=True)
    link = link_solution(solution=greeter, challenge=used.challenge, rationale=" It shortens it. ", actor=lead)
    assert (link.pk, link.rationale, link.is_seen_in_use) == (used.pk, "It shortens it.", False)
    unlink_solution(solution=greeter, challenge=used.challenge, actor=lead)
    assert not SolutionLink.objects.filter(pk=used.pk).exists()
    before = events(greeter)
    unlink_solution(solution=greeter, challenge=used.challenge, actor=lead)
    assert events(greeter) == before


def test_further_reading_keeps_its_order(greeter, lead):
    links = [("https://b.example", "B"), ("https://a.example", "")]
    set_web_links(solution=greeter, links=links, actor=lead)
    before = events(greeter)
    set_web_links(solution=greeter, links=links, actor=lead)
    assert list(greeter.web_links.order_by("position").values_list("url", "label")) == links
    assert events(greeter) == before


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (RecipeText(), "title"),
        (RecipeText(title=" "), "title"),
        (RecipeText(title="x" * 201), "title"),
        (RecipeText(title="x", why="x" * 20_001), "why"),
    ],
)
def test_text_that_can_not_be_kept_is_refused(lead, text, field):
    with pytest.raises(TextNotUsable) as refused:
        create_solution(text=text, facts={"kind": "sop"}, actor=lead)
    assert refused.value.field == field


def test_a_language_nobody_reads_here_is_refused(greeter, lead):
    with pytest.raises(TextNotUsable):
        revise_solution(solution=greeter, translations={"tlh": RecipeText(title="x")}, actor=lead)


def test_codes_and_outside_references_are_unique(greeter, lead):
    text = RecipeText(title="Another")
    with pytest.raises(CodeTaken):
        create_solution(code="GREET-at-the-door", text=text, facts={"kind": "sop"}, actor=lead)
    SolutionFactory(source="kms", external_ref="42")
    with pytest.raises(ReferenceTaken):
        create_solution(text=text, facts={"kind": "sop", "source": "KMS", "external_ref": "42"}, actor=lead)
    with pytest.raises(ReferenceTaken):
        revise_solution(solution=greeter, facts={"source": "kms", "external_ref": "42"}, actor=lead)


def test_a_code_made_from_a_title_is_free():
    SolutionFactory(code="quick-help")
    SolutionFactory(code="Quick-Help-2")
    assert free_code("Quick help!") == "quick-help-3"
    assert free_code("?") == "solution"


@pytest.mark.parametrize(
    ("since", "months", "due"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 1), 12, date(2027, 12, 1)),
        (date(2026, 12, 1), None, None),
        (None, 3, None),
    ],
)
def test_a_review_is_due_so_many_months_later(since, months, due):
    assert due_on(since=since, every_months=months) == due
