"""Labels of solutions: what a file is refused for, how a label is mapped, and that the file then comes in."""

from django.urls import reverse

from apps.library.models import SolutionAlias, UnmappedSolution
from apps.library.solution_labels import solution_guesses
from apps.planning.models import Action
from tests.curation_factories import SolutionAliasFactory, UnmappedSolutionFactory
from tests.factories import ChallengeFactory, SolutionVersionFactory
from tests.importing import told

HEADER = ["external_id", "unit", "challenge", "solutions", "effective_on"]


def test_an_unknown_label_waits_and_once_mapped_lets_the_file_in(chain, bring_in, client, lead):
    ChallengeFactory(code="queue")
    greeter = SolutionVersionFactory(
        solution__code="greeter", solution__title="Greeter at the door", solution__title_fr="Accueil"
    ).solution
    rows = [HEADER, ["A-1", "LILLE", "queue", "Greeter by the door|greeter", "2024-02-05"]]
    batch = bring_in("actions", rows, source="helpdesk")
    assert "Labels of solutions" in batch.reject_sample[0]["message"]
    label = UnmappedSolution.objects.get()
    assert (label.source, label.label, label.rejected_count) == ("helpdesk", "Greeter by the door", 1)
    assert solution_guesses([label.pk])[label.pk][0].code == "greeter"
    client.force_login(lead)
    page = client.get(reverse("library:solution-label-list")).content.decode()
    assert 'value="greeter"' in page
    client.post(reverse("library:solution-label-list"), {"label": label.pk, "means": "Greeter at the door"})
    assert SolutionAlias.objects.get().solution == greeter
    assert not UnmappedSolution.objects.waiting().exists()
    bring_in("actions", rows, source="helpdesk")
    assert [one.version.solution for one in Action.objects.get().solutions.all()] == [greeter]


def test_a_label_that_means_two_solutions_in_two_systems_is_not_guessed(chain, bring_in):
    ChallengeFactory(code="queue")
    SolutionAliasFactory(source="one", label="Host", solution=SolutionVersionFactory().solution)
    SolutionAliasFactory(source="two", label="host", solution=SolutionVersionFactory().solution)
    batch = bring_in("actions", [HEADER, ["A-1", "LILLE", "queue", "Host", "2024-02-05"]], source="three")
    assert told(batch) == [(2, "solutions", "unknown_solution")]


def test_guesses_forgive_accents_and_read_french(db):
    solution = SolutionVersionFactory(
        solution__code="wait", solution__title="Show the wait", solution__title_fr="Afficher la durée d’attente"
    ).solution
    label = UnmappedSolutionFactory(label="afficher la duree d'attente")
    assert solution_guesses([label.pk])[label.pk][0].code == solution.code
