"""Extraction and checking of translations."""

from pathlib import Path

import polib
import pytest

from cxplan.catalogues import Message, merge, problems
from cxplan.extraction import messages


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small repository in place of ours."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "apps" / "planning").mkdir(parents=True)
    (tmp_path / "cxplan").mkdir()
    return tmp_path


def test_texts_of_python_and_templates_are_found(repository: Path) -> None:
    (repository / "apps" / "planning" / "forms.py").write_text(
        "_('Plan')\nngettext('%(n)s unit', '%(n)s units', n)\npgettext_lazy('verb', 'Plan')\n_(variable)\n"
    )
    (repository / "templates" / "page.html").write_text(
        '<div>\n    <p>"\n  </p>\n {% translate "It\'s here" %}'
        "{% blocktranslate trimmed count n=units %}\n  {{ n }} action\n{% plural %}\n  {{ n }} actions\n"
        "{% endblocktranslate %}"
        '<a title="{% translate "Plan" %}">{{ _("Done") }}</a>'
    )
    found = messages(root=repository)
    assert set(found) == {
        Message("Plan"),
        Message("%(n)s unit", "%(n)s units"),
        Message("Plan", "", "verb"),
        Message("It's here"),
        Message("%(n)s action", "%(n)s actions"),
        Message("Done"),
    }
    assert found[Message("Plan")] == ["apps/planning/forms.py", "templates/page.html"]


def test_merging_keeps_translations_drops_what_is_gone_and_is_stable(tmp_path: Path) -> None:
    path = tmp_path / "fr" / "LC_MESSAGES" / "django.po"
    merge(path, {Message("Plan"): ["a.py"], Message("Old"): ["a.py"]})
    catalogue = polib.pofile(str(path))
    catalogue.find("Plan").msgstr = "Plan d'action"
    catalogue.save()
    now = {Message("Plan"): ["b.py"], Message("%(n)s unit", "%(n)s units"): ["b.py"]}
    merge(path, now)
    once = path.read_text()
    merge(path, now)
    assert path.read_text() == once
    catalogue = polib.pofile(str(path))
    assert catalogue.find("Plan").msgstr == "Plan d'action"
    assert catalogue.find("Old") is None
    assert catalogue.find("%(n)s unit").msgstr_plural == {0: "", 1: ""}


def test_every_gap_of_a_catalogue_is_named(tmp_path: Path) -> None:
    path = tmp_path / "fr" / "LC_MESSAGES" / "django.po"
    catalogue = polib.POFile()
    catalogue.append(polib.POEntry(msgid="Empty", msgstr=""))
    catalogue.append(polib.POEntry(msgid="Unsure", msgstr="Incertain", flags=["fuzzy"]))
    catalogue.append(polib.POEntry(msgid="Gone", msgstr="Parti"))
    catalogue.append(polib.POEntry(msgid="%(n)s left", msgstr="%(m)s restants"))
    catalogue.append(
        polib.POEntry(msgid="%(n)s day", msgid_plural="%(n)s days", msgstr_plural={0: "un jour", 1: "%(n)s jours"})
    )
    path.parent.mkdir(parents=True)
    catalogue.save(str(path))
    texts = ["Empty", "Unsure", "%(n)s left", "New"]
    used = {Message(text): ["a.py"] for text in texts} | {Message("%(n)s day", "%(n)s days"): ["a.py"]}
    assert sorted(sentence.split(":")[0] for sentence in problems(path, used)) == [
        "fuzzy",
        "missing",
        "no longer in the sources",
        "not translated",
        "placeholders differ",
    ]
