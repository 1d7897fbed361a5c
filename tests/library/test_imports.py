"""Files of solutions bring recipes part by part, in two languages, and keep what another system calls them."""

import pytest

from apps.library.models import Solution
from tests.factories import ChallengeFactory
from tests.importing import counts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def challenge(db):
    return ChallengeFactory(code="queue")


HEAD = "code,title,title_fr,kind,challenges,source,external_ref,summary,why,where,fidelity,why_fr\n"
ROW = "greet,Greet,Accueillir,sop,queue,kms,K-1,Look up.,Being seen.,At the desk,Count ten.,Être vu.\n"


def test_a_recipe_comes_part_by_part_and_in_french(bring_in):
    assert counts(bring_in("solutions", HEAD + ROW)) == (1, 0, 0, 0)
    version = Solution.objects.get().versions.get()
    assert (version.why, version.where, version.fidelity) == ("Being seen.", "At the desk", "Count ten.")
    assert (version.translations.get().why, version.translations.get().title) == ("Être vu.", "Accueillir")


def test_the_same_file_again_changes_nothing(bring_in):
    bring_in("solutions", HEAD + ROW)
    assert counts(bring_in("solutions", HEAD + ROW)) == (0, 1, 0, 0)
    assert Solution.objects.get().versions.count() == 1


def test_another_french_text_alone_makes_a_version_and_the_rest_is_kept(bring_in):
    bring_in("solutions", HEAD + ROW)
    assert counts(
        bring_in("solutions", "code,title,kind,challenges,why_fr\ngreet,Greet,sop,queue,Se sentir vu.\n")
    )[2]
    newest = Solution.objects.get().versions.get(number=2)
    assert (newest.why, newest.translations.get().why) == ("Being seen.", "Se sentir vu.")


def test_a_title_alone_makes_no_french_recipe(bring_in):
    bring_in("solutions", "code,title,title_fr,kind,challenges\ngreet,Greet,Accueillir,sop,queue\n")
    solution = Solution.objects.get()
    assert solution.title_fr == "Accueillir"
    assert not solution.versions.get().translations.exists()


def test_the_reference_of_another_system_names_one_solution(bring_in):
    bring_in("solutions", HEAD + ROW)
    batch = bring_in("solutions", HEAD + ROW.replace("greet,", "wave,"))
    assert counts(batch)[0] == 0
    assert [row["code"] for row in batch.reject_sample] == ["reference_taken"]
    twice = (
        HEAD
        + ROW.replace("greet,", "nod,").replace("K-1", "K-2")
        + ROW.replace("greet,", "bow,").replace("K-1", "K-2")
    )
    assert counts(bring_in("solutions", twice))[0] == 1
