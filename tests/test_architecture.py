"""The rules of the house that a program can check, each with a line that breaks it and one that keeps it."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

REPOSITORY = Path(__file__).resolve().parent.parent
MOST_LINES = 500
STANDARD = frozenset(sys.stdlib_module_names)
# What an interface consists of; only its own app's urls and the composition root import it.
INTERFACES = {"admin", "api", "forms", "tasks", "urls", "views"}
# Other words for what the glossary names: one word a thing, in code as on the screen.
BANNED = {
    *("branch", "store", "outlet", "site", "shop", "location"),  # unit
    *("kpi", "indicator"),  # metric
    *("survey", "answer"),  # response
    *("initiative", "intervention", "measure"),  # action
    *("remedy", "fix"),  # solution
    *("bundle", "package"),  # playbook
    *("suggestion", "proposal"),  # idea
    *("ticket", "incident"),  # case
    *("tenant", "organisation", "organization"),  # a deployment is one
    *("leaderboard", "scoreboard"),  # people are never ranked
}


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((REPOSITORY / folder).rglob("*.py"))]
    return [path for path in found if "migrations" not in path.parts]


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is looked for in a module, with a sample that breaks the rule and one that keeps it."""

    name: str
    find: Callable[[ast.Module, str], Iterator[ast.AST]]
    bad: str
    good: str
    where: str = "apps/planning/services.py"


def imported(node: ast.AST, path: str) -> list[str]:
    """What a node imports: the module, then the names in it; relative ones in full."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = path.split("/")[: -node.level] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        return [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return []


def signals(tree: ast.Module, path: str) -> Iterator[ast.AST]:
    # Celery's process hooks are no business flow; they belong to the composition root.
    allowed = {"celery.signals"} if path == "cxplan/celery.py" else set()
    for node in ast.walk(tree):
        modules = set(imported(node, path)[:1]) - allowed
        if any(module == "django.dispatch" or module.endswith("signals") for module in modules):
            yield node


def local_imports(tree: ast.Module, path: str) -> Iterator[ast.AST]:
    for function in ast.walk(tree):
        # An AppConfig's ready() is where Django wants imports that register something.
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name != "ready":
            for node in ast.walk(function):
                if any(name.split(".")[0] in {"apps", "cxplan"} for name in imported(node, path)):
                    yield node


def type_checking(tree: ast.Module, path: str) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and "TYPE_CHECKING" in ast.unparse(node):
            yield node


def foreign_interfaces(tree: ast.Module, path: str) -> Iterator[ast.AST]:
    if not path.startswith("apps/"):
        return
    own = path.split("/")[1]
    for node in ast.walk(tree):
        for name in imported(node, path):
            parts = name.split(".")
            if parts[0] == "apps" and len(parts) > 2 and parts[1] != own and parts[2] in INTERFACES:
                yield node


def save_overrides(tree: ast.Module, path: str) -> Iterator[ast.AST]:
    if not path.endswith("models.py"):
        return
    for owner in ast.walk(tree):
        if isinstance(owner, ast.ClassDef):
            for node in owner.body:
                if isinstance(node, ast.FunctionDef) and node.name in {"save", "delete", "full_clean", "clean"}:
                    yield node


def dotted_relations(tree: ast.Module, path: str) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("ForeignKey", "ManyToManyField")):
            target = node.args[0] if node.args else None
            if isinstance(target, ast.Constant) and isinstance(target.value, str) and "." in target.value:
                yield node


def generic_relations(tree: ast.Module, path: str) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if any(name.endswith(("GenericForeignKey", "GenericRelation")) for name in imported(node, path)):
            yield node


def impure_engine(tree: ast.Module, path: str) -> Iterator[ast.AST]:
    if not path.startswith("apps/impact/stats/"):
        return
    for node in ast.walk(tree):
        module = "".join(imported(node, path)[:1])
        outside = module and module.split(".")[0] not in STANDARD | {"numpy", "scipy"}
        if outside and not module.startswith("apps.impact.stats"):
            yield node


def clocks_below_interfaces(tree: ast.Module, path: str) -> Iterator[ast.AST]:
    if not path.endswith(("/selectors.py", "/models.py", "/panel.py")) and "/stats/" not in path:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and re.search(r"(^|\.)(now|today|localdate)$", ast.unparse(node.func)):
            yield node


RULES = [
    Rule(
        name="no signals",
        find=signals,
        bad="from django.db.models.signals import post_save",
        good="from apps.accounts.models import AuditEvent",
    ),
    Rule(
        name="no local imports of our own",
        find=local_imports,
        bad="def plan():\n    from apps.impact import services",
        good="from apps.library import services",
    ),
    Rule(
        name="no imports for the type checker alone",
        find=type_checking,
        bad="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import apps.impact",
        good="from typing import Any",
    ),
    Rule(
        name="no imports of another app's interface",
        find=foreign_interfaces,
        bad="from apps.library.views import solution_list",
        good="from apps.library.selectors import solutions_for",
    ),
    Rule(
        name="no save() and its kin",
        find=save_overrides,
        where="apps/planning/models.py",
        bad="class Plan(models.Model):\n    def save(self, **kwargs): ...",
        good="class Plan(models.Model):\n    def __str__(self): ...",
    ),
    Rule(
        name="relations name the class",
        find=dotted_relations,
        bad="models.ForeignKey('library.Solution', on_delete=models.PROTECT)",
        good="models.ForeignKey(Solution, on_delete=models.PROTECT)",
    ),
    Rule(
        name="no generic relations",
        find=generic_relations,
        bad="from django.contrib.contenttypes.fields import GenericForeignKey",
        good="from django.contrib.contenttypes.models import ContentType",
    ),
    Rule(
        name="the engine is numpy and scipy",
        find=impure_engine,
        where="apps/impact/stats/fit.py",
        bad="from apps.core.errors import CxplanError",
        good="import math\nimport numpy as np\nfrom scipy import linalg\nfrom .data import Floats",
    ),
    Rule(
        name="time is an argument",
        find=clocks_below_interfaces,
        where="apps/planning/selectors.py",
        bad="def due(): return timezone.now()",
        good="def due(*, as_of): return as_of",
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_is_kept(rule: Rule) -> None:
    broken = [
        f"{name_of(path)}:{getattr(node, 'lineno', 0)}"
        for path in sources("apps", "cxplan")
        for node in rule.find(ast.parse(path.read_text()), name_of(path))
    ]
    assert broken == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_tells_good_from_bad(rule: Rule) -> None:
    assert list(rule.find(ast.parse(rule.bad), rule.where))
    assert not list(rule.find(ast.parse(rule.good), rule.where))


def test_import_contracts_are_kept() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_module_is_too_long() -> None:
    long = {
        name_of(path): lines
        for path in sources("apps", "cxplan", "tests", "benchmarks")
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert long == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name_of(path)
        for path in sources("apps", "cxplan", "tests")
        if path.name not in {"__init__.py", "apps.py", "urls.py"}
        and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def our_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith("apps.")]


def test_a_relation_across_apps_has_no_way_back() -> None:
    ours = our_models()
    visible = [
        str(field)
        for model in ours
        for field in (*model._meta.fields, *model._meta.many_to_many)
        if field.remote_field is not None
        and field.model is model
        and field.related_model in ours
        and field.related_model._meta.app_label != model._meta.app_label
        and not (field.remote_field.related_name or "").endswith("+")
    ]
    assert visible == []


def test_no_model_has_an_order_of_its_own() -> None:
    assert [model.__name__ for model in our_models() if model._meta.ordering] == []


def test_constraints_are_named_after_their_table() -> None:
    misnamed = [
        constraint.name
        for model in our_models()
        for constraint in model._meta.constraints
        if not constraint.name.startswith(f"{model._meta.app_label}_")
    ]
    assert misnamed == []


def test_migrations_are_named_by_effect() -> None:
    automatic = re.compile(r"^\d{4}_(auto_|alter_|remove_.*_and_more|.*_and_more)")
    names = [path.stem for path in (REPOSITORY / "apps").glob("*/migrations/[0-9]*.py")]
    assert [name for name in names if automatic.match(name)] == []


def words(identifier: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", identifier)}


def test_the_glossary_has_one_word_a_thing() -> None:
    used = [
        (model.__name__, name)
        for model in our_models()
        for name in (model.__name__, *(field.name for field in model._meta.get_fields()))
        if words(name) & BANNED
    ]
    for path in (REPOSITORY / "apps").glob("*/urls.py"):
        used += [
            (name_of(path), name)
            for name in re.findall(r'name="([^"]+)"', path.read_text())
            if words(name) & BANNED
        ]
    assert used == []


def test_the_glossary_check_reads_identifiers() -> None:
    assert words("ActionSolution") == {"action", "solution"}
    assert words("open_KPI_count") & BANNED == {"kpi"}
