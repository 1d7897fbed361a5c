"""A unit's page: levels, trends with their uncertainty, quotes, and what is too little to show."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from apps.core.periods import WEEK
from apps.feedback.models import Series
from apps.feedback.selectors import change_between, unit_trends, while_unchanged
from apps.taxonomy.models import Metric
from tests.factories import MONDAY, CellFactory, MetricFactory, ResponseFactory, SeriesFactory

pytestmark = pytest.mark.django_db


def fill(unit, metric, values, n=10, last=MONDAY):
    """One cell a week, the last value in the week `last`."""
    for ago, value in enumerate(reversed(values)):
        CellFactory(unit=unit, metric=metric, week=last - ago * WEEK, n=n, value=Decimal(str(value)))


def spread(unit, metric, week, values):
    """One cell of answers that differ."""
    answers = [Decimal(str(value)) for value in values]
    CellFactory(
        unit=unit,
        metric=metric,
        week=week,
        n=len(answers),
        total=sum(answers),
        squares=sum(answer * answer for answer in answers),
    )


def trend_of(unit, minimum=5, **options):
    found = unit_trends(unit=unit, minimum=minimum, **options)
    assert len(found.trends) == 1
    return found.trends[0]


def test_a_level_joins_twelve_weeks(chain):
    fill(chain.lille, MetricFactory(), [1.0] * 4 + [8.0] * 12)
    trend = trend_of(chain.lille)
    assert trend.now.mean == pytest.approx(8.0)
    assert trend.now.n == 120


def test_weeks_with_more_answers_count_more(chain):
    metric = MetricFactory()
    CellFactory(unit=chain.lille, metric=metric, week=MONDAY, n=30, value=Decimal(8))
    CellFactory(unit=chain.lille, metric=metric, week=MONDAY - WEEK, n=10, value=Decimal(4))
    assert trend_of(chain.lille).now.mean == pytest.approx(7.0)


def test_a_unit_takes_in_everything_below_it_and_nothing_else(chain):
    metric = MetricFactory()
    fill(chain.lille, metric, [8.0] * 12)
    fill(chain.reims, metric, [6.0] * 12)
    fill(chain.nice, metric, [1.0] * 12)
    assert trend_of(chain.north).now.mean == pytest.approx(7.0)


def test_the_same_weeks_of_last_year_stand_beside(chain):
    fill(chain.lille, MetricFactory(), [5.0] * 12 + [6.0] * 40 + [8.0] * 12)
    trend = trend_of(chain.lille)
    assert trend.year_ago.mean == pytest.approx(5.0)
    assert len(trend.points) == 16


def test_an_interval_comes_from_how_far_answers_differ(chain):
    spread(chain.lille, MetricFactory(), MONDAY, [6, 8, 6, 8, 6, 8, 6, 8])
    now = trend_of(chain.lille).now
    assert now.mean == pytest.approx(7.0)
    # Standard deviation 1.069, of 8 answers: 1.96 standard errors are .741.
    assert now.high - now.mean == pytest.approx(0.741, abs=0.001)
    assert now.mean - now.low == pytest.approx(0.741, abs=0.001)


def test_one_record_a_week_has_no_interval(chain):
    fill(chain.lille, MetricFactory(kind=Metric.Kind.OPERATIONAL), [5.0] * 12, n=1)
    trend = trend_of(chain.lille)
    assert trend.now.mean == pytest.approx(5.0)
    assert trend.now.low is None
    assert trend.change is None


def test_results_of_fewer_customers_than_the_minimum_are_not_shown(chain):
    fill(chain.lille, MetricFactory(), [5.0], n=4)
    trend = trend_of(chain.lille)
    assert trend.now.mean is None
    assert trend.now.n == 4
    assert trend.means == (None,)


def test_a_change_for_the_better_is_positive_whatever_the_direction_of_the_metric(chain):
    metric = MetricFactory(better=Metric.Better.LOWER)
    spread(chain.lille, metric, MONDAY - 52 * WEEK, [9, 11] * 20)
    spread(chain.lille, metric, MONDAY, [4, 6] * 20)
    change = trend_of(chain.lille).change
    assert change is not None
    assert change.value == pytest.approx(5.0)
    assert change.low > 0


def test_a_change_needs_two_intervals(chain):
    spread(chain.lille, MetricFactory(), MONDAY, [4, 6] * 20)
    trend = trend_of(chain.lille)
    assert change_between(trend.year_ago, trend.now, sign=1) is None


def test_a_gap_stays_a_gap(chain):
    metric = MetricFactory()
    fill(chain.lille, metric, [5.0] * 4)
    fill(chain.lille, metric, [5.0] * 4, last=MONDAY - 12 * WEEK)
    assert trend_of(chain.lille).means == (pytest.approx(5.0), None, None, pytest.approx(5.0))


def test_the_page_shows_levels_and_quotes(client, staff, chain):
    fill(chain.lille, MetricFactory(name="Welcome at the desk"), [8.0] * 12)
    ResponseFactory(unit=chain.lille, comment="They <b>smiled</b> at me.")
    ResponseFactory(unit=chain.nice, comment="Elsewhere.")
    client.force_login(staff)
    page = client.get(reverse("feedback:unit", args=["lille"])).content.decode()
    assert "Welcome at the desk" in page
    assert "8.00\u00a0points" in page
    assert "They &lt;b&gt;smiled&lt;/b&gt; at me." in page
    assert "Elsewhere." not in page


def test_the_page_of_a_unit_without_answers_says_when_they_come(client, staff, chain):
    client.force_login(staff)
    assert "Nothing was measured here yet" in client.get(reverse("feedback:unit", args=["LILLE"])).content.decode()


@pytest.mark.parametrize("code", ["NICE", "NORTH", "nope"])
def test_a_unit_outside_one_s_scope_is_not_found(client, staff, chain, code):
    client.force_login(staff)
    assert client.get(reverse("feedback:unit", args=[code])).status_code == 404
    assert client.get(reverse("feedback:unit-metric", args=[code, "x"])).status_code == 404


def test_the_chosen_unit_has_a_short_address(client, staff, chain):
    client.force_login(staff)
    assert client.get(reverse("feedback:unit-chosen")).url == reverse("feedback:unit", args=["LILLE"])


def test_the_page_is_made_in_a_constant_number_of_queries(client, staff, chain, django_assert_num_queries):
    for number in range(6):
        fill(chain.lille, MetricFactory(code=f"m{number}"), [8.0] * 8)
    client.force_login(staff)
    with django_assert_num_queries(11):
        client.get(reverse("feedback:unit", args=["LILLE"]))
    # The sums are kept from the first time.
    with django_assert_num_queries(10):
        client.get(reverse("feedback:unit", args=["LILLE"]))


def test_what_was_added_up_is_kept_until_a_cell_below_the_unit_changes(chain):
    series = SeriesFactory(unit=chain.lille)
    asked = []
    for revision in (1, 1, 2):
        Series.objects.filter(pk=series.pk).update(revision=revision)
        while_unchanged(chain.organisation, ["answers"], lambda: asked.append(1) or len(asked))
        while_unchanged(chain.nice, ["answers"], lambda: 0)
    assert len(asked) == 2


def test_a_metric_has_a_chart_and_its_table_twin(client, staff, chain):
    fill(chain.lille, MetricFactory(code="welcome", name="Welcome"), [8.0] * 12)
    client.force_login(staff)
    page = client.get(reverse("feedback:unit-metric", args=["LILLE", "WELCOME"])).content.decode()
    assert "data-chart=" in page
    assert "Show as a table" in page
    assert "2023" in page


def test_a_chart_has_a_band_only_where_there_are_intervals(client, staff, chain):
    spread(chain.lille, MetricFactory(code="welcome"), MONDAY, [4, 6, 8, 9, 10])
    fill(chain.lille, MetricFactory(code="staffing", kind=Metric.Kind.OPERATIONAL), [5.0] * 12, n=1)
    client.force_login(staff)
    for code, expected in (("welcome", True), ("staffing", False)):
        page = client.get(reverse("feedback:unit-metric", args=["lille", code])).content.decode()
        assert ("the band is where it likely lies" in page) is expected
        assert ("&quot;area&quot;" in page) is expected


def test_a_metric_is_also_a_fragment_for_other_pages(client, staff, chain):
    fill(chain.lille, MetricFactory(code="welcome"), [8.0] * 12)
    client.force_login(staff)
    address = reverse("feedback:unit-metric", args=["LILLE", "welcome"])
    html = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in html
    assert "8.00" in html


def test_a_metric_nobody_knows_is_not_found(client, staff, chain):
    client.force_login(staff)
    assert client.get(reverse("feedback:unit-metric", args=["LILLE", "nope"])).status_code == 404


def test_old_data_are_shown_up_to_where_they_end(chain):
    last = MONDAY - timedelta(weeks=300)
    fill(chain.lille, MetricFactory(), [8.0] * 12, last=last)
    found = unit_trends(unit=chain.lille, minimum=5)
    assert found.last_week == last
    assert found.trends[0].now.mean == pytest.approx(8.0)
