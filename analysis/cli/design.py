"""``meanwatt design``: the tariff that a regulator or a utility would commit to."""

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.agents.tariff.rate_classes import called
from meanwatt.analysis.cli.design_cold import cold_json, cold_messages, compare_cold
from meanwatt.analysis.cli.design_methods import (
    METHODS,
    SEARCHES,
    concept,
    read_choices,
    require_method,
    require_plain_method,
    require_warm,
)
from meanwatt.analysis.cli.design_page import design_report, print_design
from meanwatt.analysis.cli.design_pareto import find_surface, pareto_files, read_points, require_surface, say_pareto
from meanwatt.analysis.cli.design_robust import Robust, require_alone, robust_choice
from meanwatt.analysis.cli.family_option import Family, read_families, require_one_place, with_family
from meanwatt.analysis.cli.leader_options import LEADERS, Books, PriceCap, Weights, read_leader_options
from meanwatt.analysis.cli.options import Json, Out, Resume, Scenario, Set, Tariff, one_of
from meanwatt.analysis.cli.watching import watched

if TYPE_CHECKING:
    from meanwatt.analysis.cli.inputs import Inputs
    from meanwatt.analysis.cli.watching import Work
    from meanwatt.analysis.design.design import Design
    from meanwatt.analysis.leader.leader_spec import LeaderSpec
    from meanwatt.analysis.learning.campaign import Learned
    from meanwatt.analysis.pareto.surface import Surface
    from meanwatt.model.mean_field.first_best import FirstBest
    from meanwatt.model.scenario.economy import Economy


def design(
    scenario: Scenario,
    *,
    leader: Annotated[str, typer.Option(metavar=LEADERS, help="Who posts the tariff.", show_default=False)],
    method: Annotated[
        str, typer.Option(metavar="NAME", help=f"How it is searched for: {', '.join(METHODS)}.")
    ] = "commitment",
    weights_text: Weights = None,
    price_cap: PriceCap = None,
    evaluations: Annotated[
        str | None,
        typer.Option(metavar="E", help="Tariffs tried: by a learner in all (150), else from each start at most (100)."),
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="mean_field|market", help="Where a learner posts its tariffs.")
    ] = None,
    households: Annotated[str | None, typer.Option(metavar="N", help="Households of that market (1000).")] = None,
    days: Annotated[str | None, typer.Option(metavar="D", help="Days each tariff is metered there (28).")] = None,
    seed: Annotated[str | None, typer.Option(metavar="S", help="Key of a learner's draws and of the market's.")] = None,
    resume: Resume = False,
    books: Books = None,
    regret: Annotated[bool, typer.Option("--regret", help="Search the commitment too, and compare.")] = False,
    anneal: Annotated[
        bool, typer.Option("--anneal", help="Design for cold households: lower the temperature, at last to 0.")
    ] = False,
    no_cold: Annotated[
        bool, typer.Option("--no-cold", help="Leave out what the tariffs are worth among cold households.")
    ] = False,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="Draw efficiency, equity and stability against each other.")
    ] = False,
    points: Annotated[str | None, typer.Option(metavar="N", help="Points along each edge of that surface (4).")] = None,
    family: Family = None,
    robust: Robust = None,
    tariff: Tariff = None,
    set: Set = None,
    json: Json = False,
    out: Out = None,
) -> int:
    """Find the tariff a leader commits to; --tariff is the one it is compared with."""
    began = time.perf_counter()
    one_of("method", method, METHODS)
    objective = read_leader_options(leader, weights_text, price_cap)
    require_method(method, leader)
    learners = {"against": against, "households": households, "days": days, "seed": seed, "books": books}
    shared = {"resume": resume, "regret": regret}
    choices = read_choices(
        method, evaluations, learners | shared, out, anneal, robust=robust is not None, family=family is not None
    )
    require_alone(robust, choices)
    edge = read_points(pareto, points, leader)
    with watched(quiet=json) as work:
        from meanwatt.analysis.cli.inputs import read
        from meanwatt.analysis.cli.show import print_json, say_notes, say_report
        from meanwatt.analysis.design.design import baseline_name, design_messages
        from meanwatt.analysis.design.design import design as run
        from meanwatt.analysis.design.family_result import family_json, family_messages
        from meanwatt.analysis.design.robust.robust_result import robust_json, robust_messages
        from meanwatt.analysis.metrics.undefined import undefined_messages
        from meanwatt.analysis.output.solution_json import equilibrium_metrics, find_first_best, first_best_messages
        from meanwatt.model.mean_field.equilibrium import Outcome
        from meanwatt.model.progress.watch import Cancelled
        from meanwatt.model.scenario.messages import joined

        if out is not None:
            from meanwatt.analysis.output.result_files import require_free

            require_free(out, "design")
        search = SEARCHES[method](choices)
        inputs = read(
            scenario,
            baseline_name(scenario) if tariff is None else tariff,
            set,
            classes=True,
            components=True,
            branches=True,
            envelopes=True,
        )
        families = read_families(family, inputs.economy)
        require_one_place(families, choices, pareto=pareto, robust=robust is not None)
        require_plain_method(inputs.tariff, families, choices, pareto=pareto)
        require_warm(inputs.economy, choices)
        if pareto:
            require_surface(inputs.economy)
        aims, search = with_family(families, objective.aims(inputs.economy), search, choices, robust=robust is not None)
        search = robust_choice(robust, inputs.economy, search, choices)
        done = run(inputs.economy, inputs.tariff, aims, search=search, watch=work.watch)
        first_best = lost = None
        first_best_message = "No first best: cancelled before it was found."
        if regret and done.outcome is not Outcome.CANCELLED:
            work.new_stage("commitment")
            with suppress(Cancelled):
                lost = _regret(done, inputs.economy, aims, work)
        if done.outcome is not Outcome.CANCELLED:
            work.new_stage("first best")
            with suppress(Cancelled):  # the tariff is found; only its gap to the first best is not
                first_best, first_best_message = find_first_best(inputs.economy, work.watch)
        cold = None if no_cold else compare_cold(done, aims, inputs.economy, work)
        surface = None
        if edge is not None and first_best is not None and done.baseline.converged:
            work.new_stage("Pareto surface")
            with suppress(Cancelled):
                surface = find_surface(done, aims, inputs.economy, first_best, edge, work)
    result = _result(done, aims, first_best, inputs, time.perf_counter() - began)
    result["method"], result["concept"] = method, concept(method)
    result["learning"] = _learning_json(done, lost, aims)
    result["books"] = _books_json(done)
    result["cold"], result["anneal"] = cold_json(cold), _anneal_json(done)
    result["pareto"] = _pareto_json(surface)
    result["family"] = family_json(families, done.commitment)
    result["robust"] = robust_json(done.commitment)
    found = done.baseline if done.commitment is None else done.commitment.equilibrium
    result["messages"] = joined(
        found.messages,
        design_messages(done, aims),
        family_messages(families, done.commitment),
        robust_messages(done.commitment, aims.definition),
        () if no_cold else cold_messages(cold, done, aims, annealed=anneal),
        first_best_messages(first_best, first_best_message),
        undefined_messages(equilibrium_metrics(found)),
        _missing(regret=regret and lost is None, surface=pareto and surface is None),
    )
    result["settings"] = {
        **inputs.given,
        "leader": leader,
        "method": method,
        "weights": weights_text,
        "price_cap": aims.price_cap_usd_per_kwh,
        "evaluations": choices.evaluations,
        "anneal": anneal,
        "no_cold": no_cold,
        "pareto_points": edge,
        "family": family,
        "robust": robust,
        **choices.settings,
    }
    kept = None if done.commitment is None else out
    if kept is not None:
        _write(kept, result, done, inputs, surface)
        if choices.journal is not None and done.outcome is not Outcome.CANCELLED:
            choices.journal.unlink(missing_ok=True)
    if json:
        print_json(result)
    else:
        print_design(result)
        if pareto:
            say_pareto(result["pareto"])
        say_notes(result["messages"])
        say_report(kept)
    drawn = not pareto or (surface is not None and surface.outcome is Outcome.CONVERGED)
    return 0 if done.outcome is Outcome.CONVERGED and drawn else 1


def _anneal_json(done: "Design") -> dict[str, Any] | None:
    from meanwatt.analysis.design.anneal import Annealed, anneal_json

    return anneal_json(done.commitment) if isinstance(done.commitment, Annealed) else None


def _missing(*, regret: bool, surface: bool) -> list[str]:
    """What was asked for and did not come, a sentence each."""
    sentences = {
        "No regret: the search for the commitment was stopped.": regret,
        "No Pareto surface: stopped before, or no first best or equilibrium to measure it against.": surface,
    }
    return [sentence for sentence, lacks in sentences.items() if lacks]


def _regret(done: "Design", economy: "Economy", aims: "LeaderSpec", work: "Work") -> float | None:
    """What the learner's tariff falls short of the commitment's; None if the search for that was stopped."""
    from meanwatt.analysis.design.design import DesignProblem, commitment_search
    from meanwatt.analysis.learning.curves import regret
    from meanwatt.model.mean_field.equilibrium import Outcome

    problem = DesignProblem(economy=economy, aims=aims, baseline=done.baseline, watch=work.watch)
    try:
        best = commitment_search()(problem)
    except ValueError:
        if work.cancelled():  # before a tariff met the cap
            return None
        raise
    if done.commitment is None or best.outcome is Outcome.CANCELLED:
        return None
    return regret(done.commitment, best)


def _learned(done: "Design") -> "Learned | None":
    """What a learner found; without one its room is not opened, which takes longer than many a search."""
    campaign = sys.modules.get("meanwatt.analysis.learning.campaign")
    return done.commitment if campaign is not None and isinstance(done.commitment, campaign.Learned) else None


def _learning_json(done: "Design", regret: float | None, aims: "LeaderSpec") -> dict[str, Any] | None:
    found = _learned(done)
    if found is None:
        return None
    from meanwatt.analysis.learning.report import learning_json

    return learning_json(found, regret, aims.definition)


def _books_json(done: "Design") -> dict[str, Any] | None:
    found = _learned(done)
    if found is None:
        return None
    from meanwatt.analysis.learning.report import books_json

    return books_json(found)


def _pareto_json(surface: "Surface | None") -> dict[str, Any] | None:
    if surface is None:
        return None
    from meanwatt.analysis.pareto.report import pareto_json

    return pareto_json(surface)


def _result(
    done: "Design", aims: "LeaderSpec", first_best: "FirstBest | None", inputs: "Inputs", seconds: float
) -> dict[str, Any]:
    """The object that ``design --json`` prints; null where no tariff was found."""
    from meanwatt.analysis.design.design import tariff_table
    from meanwatt.analysis.design.designed_classes import bills_by_class_in_force, design_class_rows
    from meanwatt.analysis.output.rate_classes import class_fixed_charge_usd_per_day
    from meanwatt.analysis.output.solution_json import equilibrium_metrics, group_rows, metrics_json

    found = done.commitment
    baseline = done.baseline
    rates = baseline.rates.of_classes
    result: dict[str, Any] = {
        "scenario": inputs.economy.scenario.name,
        "leader": aims.leader,
        "method": None,
        "concept": None,
        "outcome": done.outcome,
        "message": done.message,
        "messages": [],
        "tariff": None,
        "rate_classes": [],
        "bills_by_class_in_force": [],
        "parameters": None,
        "objective": None,
        "baseline": {
            "tariff": called(inputs.tariff),
            "outcome": baseline.outcome,
            "objective": done.baseline_objective,
            "highest_import_usd_per_kwh": max(float(one.import_usd_per_kwh.max()) for one in rates),
            "price_cap_violation_usd_per_kwh": done.baseline_violation,
            "metrics": metrics_json(equilibrium_metrics(baseline, first_best), first_best),
            "rate_classes": design_class_rows(baseline, baseline),
        },
        "objective_unit": aims.definition.unit,
        "weights": aims.weights or None,
        "price_cap_usd_per_kwh": aims.price_cap_usd_per_kwh,
        "evaluations": done.evaluations,
        "seconds": seconds,
        "compile_seconds": compile_seconds(),
        "metrics": None,
    }
    if found is not None:
        equilibrium = found.equilibrium
        result |= {
            "tariff": tariff_table(found.tariff, inputs.economy),
            "rate_classes": design_class_rows(equilibrium, baseline),
            "bills_by_class_in_force": bills_by_class_in_force(baseline, equilibrium),
            "parameters": found.parameters,
            "objective": found.objective,
            "metrics": metrics_json(equilibrium_metrics(equilibrium, first_best), first_best),
            "fixed_charge_usd_per_day": class_fixed_charge_usd_per_day(equilibrium, 0),
            "groups": group_rows(equilibrium),
        }
    return result


def _write(out: str, result: dict[str, Any], done: "Design", inputs: "Inputs", surface: "Surface | None") -> None:
    from meanwatt.analysis.design.designed_classes import tariff_files
    from meanwatt.analysis.design.family_result import window_columns
    from meanwatt.analysis.design.robust.robust_design import RobustCommitment
    from meanwatt.analysis.design.robust.robust_result import robust_columns
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.output.solution_json import solution_tables
    from meanwatt.analysis.report.page import FILE
    from meanwatt.model.mean_field.leader.window_search import WindowCommitment
    from meanwatt.model.scenario.messages import joined

    assert done.commitment is not None
    trials = done.commitment.trials
    names = done.commitment.parameters
    columns: dict[str, Any] = {
        name: [float(trial.parameters[place]) for trial in trials] for place, name in enumerate(names)
    }
    columns["objective"] = [trial.objective for trial in trials]
    columns["violation"] = [trial.violation for trial in trials]
    learned = _learned(done)
    if learned is not None:
        from meanwatt.analysis.learning.report import trial_columns

        columns |= trial_columns(learned)
    tables: dict[str, dict[str, Any]] = {"trials": columns}
    if isinstance(done.commitment, WindowCommitment):
        columns["combination"] = list(done.commitment.trial_combination)
        tables["windows"] = window_columns(done.commitment)
    if isinstance(done.commitment, RobustCommitment) and done.commitment.table is not None:
        tables["regret"] = robust_columns(done.commitment)
    pareto_tables, pareto_texts, said = pareto_files(surface, inputs.economy.scenario.name)
    result["messages"] = joined(result["messages"], said)
    manifest = {"settings": result["settings"], "scenario": inputs.economy.scenario.model_dump(mode="json")}
    page = design_report(result, done, surface, manifest)
    write_result(
        out,
        name="design",
        result=result,
        manifest=manifest,
        tables={**tables, **solution_tables(done.commitment.equilibrium), **pareto_tables},
        texts={**tariff_files(done.commitment.tariff, inputs.economy), FILE: page, **pareto_texts},
    )
