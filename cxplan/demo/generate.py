"""How is the demonstration chain written down as import files?"""

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from cxplan.demo.answers import Operations, Survey
from cxplan.demo.content import Content, load_content, read_rows
from cxplan.demo.decisions import Decision, Managers
from cxplan.demo.network import Network, build_network
from cxplan.demo.truth import ChainTruth, Oracle
from cxplan.demo.world import World, build_world

FIDELITY_KNOWN, COST_KNOWN, NOTED = 0.85, 0.4, 0.35
COST_OF_LEVEL = {1: 120, 2: 600, 3: 2200, 4: 7500, 5: 24000}  # euros
UNIT_COLUMNS = (
    "code",
    "name",
    "name_fr",
    "kind",
    "parent",
    "region",
    "timezone",
    "opened_on",
    "closed_on",
    "desks",
    "fleet",
)
MIN_BRANCHES, MIN_WEEKS = 6, 30


def generate_chain(
    directory: Path,
    *,
    seed: int = 2026,
    end: date,
    branches: int = 120,
    weeks: int = 104,
    progress: Callable[[str, float], None] | None = None,
) -> ChainTruth:
    """Write the chain's import files and its answer sheet into a directory.

    Parameters
    ----------
    directory : created when missing; files of the same names are replaced
    seed : the same seed, end and size give the same bytes
    end : the data stop with the last full ISO week that ends on or before this day
    branches, weeks : size of the chain; at least 6 and 30
    progress : called with what is happening and the share that is done, 0 to 1

    Returns
    -------
    ChainTruth
        also written as truth.json

    Raises
    ------
    ValueError
        for a chain too small to hold its story
    """
    if branches < MIN_BRANCHES or weeks < MIN_WEEKS:
        raise ValueError(f"A chain needs at least {MIN_BRANCHES} branches and {MIN_WEEKS} weeks.")
    report = progress or (lambda _label, _share: None)
    directory.mkdir(parents=True, exist_ok=True)
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(6)]
    content = load_content()
    report("network", 0.0)
    network = build_network(content, rng=streams[0], end=end, branches=branches, weeks=weeks)
    world = build_world(content, network, rng=streams[1])
    managers = Managers(content=content, network=network, world=world, rng=streams[2])
    survey = Survey(content, network, world, streams[3])
    operations = Operations(content, network, world, streams[4])
    scores = _live(directory, network, world, managers, survey, operations, report)
    report("vocabulary", 0.93)
    _write_vocabulary(directory, content)
    _write_network(directory, content, network)
    names = _write_actions(directory, content, network, managers.decisions, streams[5])
    report("truth", 0.96)
    truth = _tell(content, network, world, managers, names, seed=seed, responses=survey.count, scores=scores)
    truth.save(directory / "truth.json")
    report("done", 1.0)
    return truth


def _live(
    directory: Path,
    network: Network,
    world: World,
    managers: Managers,
    survey: Survey,
    operations: Operations,
    report: Callable[[str, float], None],
) -> int:
    """Go through the weeks: customers answer, branches look at it and act. Returns the number of scores."""
    ratings = world.links.shape[1]
    scores = 0
    with (
        (directory / "feedback-surveys.csv").open("w", encoding="utf-8", newline="") as answers,
        (directory / "feedback-operations.csv").open("w", encoding="utf-8", newline="") as records,
    ):
        answer_rows = csv.writer(answers, lineterminator="\n")
        record_rows = csv.writer(records, lineterminator="\n")
        answer_rows.writerow(survey.header)
        record_rows.writerow(operations.header)
        for week in range(network.weeks):
            state = world.spread(world.base[:, week] + managers.effect[:, week])
            overall = state[:, -2] + world.overall[:, week]
            rows, rated = survey.week(week, state[:, :ratings], overall)
            answer_rows.writerows(rows)
            scores += sum(len(row) - row.count("") for row in (row[10:] for row in rows))
            lines, recorded = operations.week(week, state[:, ratings:-2])
            record_rows.writerows(lines)
            managers.observed[:, week] = np.hstack([rated, recorded])
            managers.act(week)
            report("weeks", 0.02 + 0.9 * (week + 1) / network.weeks)
    return scores


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_vocabulary(directory: Path, content: Content) -> None:
    for name in ("touchpoints.csv", "metrics.csv", "challenges.csv", "aliases.csv"):
        rows = read_rows(name)
        _write(directory / name, list(rows[0]), (list(row.values()) for row in rows))
    solutions = [solution.row for solution in content.solutions]
    _write(directory / "solutions.csv", list(solutions[0]), (list(row.values()) for row in solutions))


def _write_network(directory: Path, content: Content, network: Network) -> None:
    chain = content.chain
    blank = dict.fromkeys(UNIT_COLUMNS, "")
    rows = [{**blank, **{key: chain[key] for key in ("code", "name", "name_fr", "timezone")}, "kind": "chain"}]
    rows += [
        {
            **blank,
            **{key: region[key] for key in ("code", "name", "name_fr", "timezone")},
            "kind": "region",
            "parent": chain["code"],
            "region": region["code"],
        }
        for region in chain["region"]
    ]
    rows += [
        {
            **{key: getattr(branch, key) for key in UNIT_COLUMNS if key != "parent"},
            "parent": branch.region,
            "closed_on": branch.closed_on or "",
        }
        for branch in network.branches
    ]
    _write(directory / "units.csv", UNIT_COLUMNS, ([row[key] for key in UNIT_COLUMNS] for row in rows))
    people = ("email", "name", "unit", "role", "language")
    _write(directory / "people.csv", people, ([person[key] for key in people] for person in network.people))
    events = [
        (
            "*" if event.branch is None else network.branches[event.branch].code,
            event.name,
            event.kind,
            network.monday(event.week),
            network.monday(event.week + event.length) - timedelta(days=1),
        )
        for event in network.disturbances
    ]
    _write(directory / "events.csv", ("unit", "name", "kind", "starts_on", "ends_on"), events)


def _write_actions(
    directory: Path, content: Content, network: Network, decisions: list[Decision], rng: np.random.Generator
) -> list[str]:
    """The log of actions in order of their start; returns the external id of each decision."""
    cost = {solution.code: solution.cost for solution in content.solutions}
    speaks = {person["email"]: person["language"] for person in network.people}
    order = sorted(
        range(len(decisions)), key=lambda i: (decisions[i].week, decisions[i].unit, decisions[i].challenge)
    )
    names = [""] * len(decisions)
    rows = []
    for number, index in enumerate(order, start=1):
        decision = decisions[index]
        names[index] = f"A{number:04d}"
        branch = network.branches[decision.unit]
        language = speaks[network.owners[decision.unit]]
        draw = rng.random(4)
        notes = content.notes[f"stopped_{language}" if decision.stopped else language]
        written = decision.stopped is not None or draw[0] < NOTED
        price = sum(COST_OF_LEVEL[cost[code]] for code in decision.solutions) * (0.6 + 0.8 * draw[3])
        fidelity = 100 - round(60 * float(rng.beta(1.4, 4.0)))
        started = network.monday(decision.week) + timedelta(days=decision.weekday)
        planned = network.monday(max(0, decision.planned)) + timedelta(days=int(5 * draw[2]))
        rows.append(
            (
                names[index],
                branch.code,
                decision.challenge,
                "|".join(decision.solutions),
                min(planned, started),
                started,
                network.monday(decision.stopped) if decision.stopped else "",
                fidelity if draw[1] < FIDELITY_KNOWN else "",
                network.owners[decision.unit],
                10 * round(price / 10) if draw[3] < COST_KNOWN else "",
                decision.note or (notes[int(draw[2] * len(notes))] if written else ""),
                "true" if decision.randomised else "",
            )
        )
    header = (
        "external_id,unit,challenge,solutions,planned_on,effective_on,ended_on,fidelity,owner,cost,note,randomised"
    )
    _write(directory / "actions.csv", header.split(","), rows)
    return names


def _tell(
    content: Content,
    network: Network,
    world: World,
    managers: Managers,
    names: list[str],
    *,
    seed: int,
    responses: int,
    scores: int,
) -> ChainTruth:
    oracle = Oracle(content, network, world, managers)
    used = {code for decision in managers.decisions for code in decision.solutions}
    served = {challenge for solution in content.solutions for challenge in solution.challenges}
    flagship = content.truth["flagship"]
    named = sorted(zip(names, managers.decisions, strict=True), key=lambda pair: pair[0])
    return ChainTruth(
        seed=seed,
        start=network.start.isoformat(),
        end=(network.monday(network.weeks) - timedelta(days=1)).isoformat(),
        branches=len(network.branches),
        weeks=network.weeks,
        responses=responses,
        scores=scores,
        flagship=flagship,
        flagship_metric=next(spec.metric for spec in content.challenges if spec.code == flagship),
        story_branch=network.branches[network.story].code,
        sign_ins={person["role"]: person["email"] for person in content.chain["person"][:3]},
        solutions=tuple(row for solution in content.solutions for row in oracle.solution(solution.code)),
        actions=tuple(oracle.action(name, decision) for name, decision in named),
        useless=tuple(solution.code for solution in content.solutions if not solution.effect),
        never_used=tuple(solution.code for solution in content.solutions if solution.code not in used),
        gaps=tuple(spec.code for spec in content.challenges if spec.code not in served),
        drawn_by_lot=tuple(sorted(name for name, decision in named if decision.randomised)),
        everywhere_at_once=tuple(entry["solution"] for entry in content.truth["launch"]),
    )
