"""``meanwatt pilot``: tariffs tried at the same time on arms of the households, and the best one posted to all."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanwatt.agents.early_mesa import load_mesa
from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.agents.tariff.rate_classes import called
from meanwatt.analysis.cli.leader_options import LEADERS, Books, PriceCap, Weights
from meanwatt.analysis.cli.options import (
    Json,
    Out,
    Resume,
    Scenario,
    Seed,
    Set,
    Tariff,
    require_out,
    whole_number,
)
from meanwatt.analysis.cli.simulate_leader import read_leader
from meanwatt.analysis.cli.watching import watched
from meanwatt.analysis.leader.registry import find
from meanwatt.model.scenario.ranges import DAYS, HOUSEHOLDS, REPLICATIONS, SEED

if TYPE_CHECKING:
    from pathlib import Path

    from meanwatt.analysis.cli.watching import Work
    from meanwatt.analysis.learning.menus import Menu
    from meanwatt.analysis.learning.pilot import PilotPlan, PilotResult
    from meanwatt.model.mean_field.equilibrium import Equilibrium


def pilot(
    scenario: Scenario,
    *,
    leader: Annotated[str, typer.Option(metavar=LEADERS, help="Whose objective is metered.")] = "commission",
    menu: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE,...", help="Tariffs, an arm each; by default the scenario's that recover cost."
        ),
    ] = None,
    behaviour: Annotated[
        str, typer.Option(metavar="NAME", help="How households decide, as of simulate.")
    ] = "qlearning",
    households: Annotated[str, typer.Option(metavar="N", help="Simulated households of the whole market.")] = "1000",
    days: Annotated[str, typer.Option(metavar="D", help="Days, the pilot's included.")] = "720",
    pilot_days: Annotated[str, typer.Option(metavar="D", help="Days of the pilot.")] = "60",
    round_days: Annotated[str, typer.Option(metavar="D", help="Days that are scored together.")] = "30",
    before_days: Annotated[
        str, typer.Option(metavar="D", help="Days under the tariff in force (--tariff) before the first one.")
    ] = "365",
    apart: Annotated[
        bool, typer.Option("--apart", help="Give every arm a market of its own, to see what the shared price hides.")
    ] = False,
    seed: Seed = "0",
    seeds: Annotated[str, typer.Option(metavar="K", help="Pilots, with the seeds S, S + 1, ….")] = "1",
    weights: Weights = None,
    price_cap: PriceCap = None,
    books: Books = None,
    tariff: Tariff = None,
    set: Set = None,
    resume: Resume = False,
    json: Json = False,
    out: Out = None,
) -> int:
    """Try tariffs at the same time on arms of one market, post the best to all, and say what that was worth."""
    began = time.perf_counter()
    choices = read_leader(
        leader,
        round_days=round_days,
        menu=menu,
        by_day_type=False,
        weights_text=weights,
        price_cap=price_cap,
        books=books,
    )
    assert choices is not None
    size = {
        "households": whole_number("--households", households, HOUSEHOLDS, example=1000),
        "days": whole_number("--days", days, DAYS, example=720),
        "pilot_days": whole_number("--pilot-days", pilot_days, DAYS, example=60),
        "round_days": choices.round_days,
        "before_days": whole_number("--before-days", before_days, DAYS, example=365),
    }
    first = whole_number("--seed", seed, SEED, example=1)
    count = whole_number("--seeds", seeds, REPLICATIONS, example=10)
    require_out(resume=resume, out=out)
    results: list[PilotResult] = []
    with watched(quiet=json) as work:
        load_mesa()
        from meanwatt.analysis.cli.inputs import read
        from meanwatt.analysis.cli.show import print_json, say_notes
        from meanwatt.analysis.cli.simulate_leader import solved_menu
        from meanwatt.analysis.learning.books import BooksKind
        from meanwatt.analysis.learning.pilot import PilotPlan
        from meanwatt.model.market.behaviour_spec import read_behaviour
        from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
        from meanwatt.model.scenario.messages import joined, scenario_messages

        read_behaviour(behaviour)
        plan = PilotPlan(**size, behaviour=behaviour, apart=apart, books=BooksKind(choices.books), seed=first)
        journal = None if out is None else _checked_journal(out, resume=resume)
        inputs = read(scenario, tariff, set, classes=True, branches=True, envelopes=True, adders=False)
        in_force = solve_equilibrium(inputs.economy, inputs.tariff, certify=False, watch=work.watch)
        outcome, message = in_force.outcome, in_force.message
        known = None
        if in_force.converged:
            known = solved_menu(choices, inputs.economy, in_force, work)
            results = _pilots(known, in_force, Asked(plan, count, journal, resume=resume), work)
            if len(results) < count:
                outcome, message = Outcome.CANCELLED, f"Cancelled after {len(results)} of {count} pilots."
            else:
                message = f"{len(results)} {'pilot' if len(results) == 1 else 'pilots'} of {size['pilot_days']} days."
    result = {
        "scenario": inputs.economy.scenario.name,
        "tariff": called(inputs.tariff),
        "outcome": outcome,
        "message": message,
        "messages": joined(
            in_force.messages,
            scenario_messages(inputs.economy.scenario),
            () if known is None else known.messages,
            *(one.messages for one in results),
        ),
        **({} if known is None else _found(known, in_force, results)),
        "seconds": time.perf_counter() - began,
        "compile_seconds": compile_seconds(),
        "settings": {
            **inputs.given,
            **choices.settings,
            **size,
            "behaviour": behaviour,
            "apart": apart,
            "seed": first,
            "seeds": count,
        },
    }
    if out is not None and results:
        _write(out, result, inputs.economy.scenario.model_dump(mode="json"))
        if journal is not None and outcome is Outcome.CONVERGED:
            journal.unlink()
    if json:
        print_json(result)
    else:
        _tables(result)
        say_notes(result["messages"])
    return 0 if outcome is Outcome.CONVERGED else 1


@dataclass(frozen=True, slots=True)
class Asked:
    """Pilots with the seeds from that of the plan on, and the journal that keeps them, if any."""

    plan: "PilotPlan"
    count: int
    journal: "Path | None"
    resume: bool = field(kw_only=True)


def _checked_journal(out: str, *, resume: bool) -> "Path":
    """The journal beside the result; ``ValueError`` before any work is done if either may not be written."""
    from meanwatt.analysis.learning.pilot_journal import PilotJournal
    from meanwatt.analysis.output.result_files import require_free
    from meanwatt.analysis.output.run_journal import journal_beside

    require_free(out, "pilot")
    journal = journal_beside(out)
    PilotJournal.check(journal, resume=resume)
    return journal


def _pilots(menu: "Menu", in_force: "Equilibrium", asked: Asked, work: "Work") -> "list[PilotResult]":
    """Run pilots, one after the other, but for those on record; fewer if asked to stop."""
    from contextlib import nullcontext
    from dataclasses import replace

    from meanwatt.analysis.learning.pilot import run_pilot
    from meanwatt.analysis.learning.pilot_journal import PilotJournal
    from meanwatt.model.progress.watch import Cancelled

    kept = (
        nullcontext()
        if asked.journal is None
        else PilotJournal(asked.journal, menu, in_force, asked.plan, resume=asked.resume)
    )
    with kept as journal:
        results = [] if journal is None else list(journal.parts)
        if len(results) > asked.count:
            raise ValueError(
                f"{asked.journal} holds {len(results)} pilots, and --seeds is {asked.count}; give --seeds"
                f" {len(results)} or more"
            )
        for number in range(len(results), asked.count):
            work.new_stage(f"pilot {number + 1} of {asked.count}")
            try:
                done = run_pilot(menu, in_force, replace(asked.plan, seed=asked.plan.seed + number), work.watch)
            except Cancelled:
                break
            if journal is not None:
                journal.append(done)
            results.append(done)
    return results


def _found(menu: "Menu", in_force: "Equilibrium", results: "list[PilotResult]") -> dict[str, Any]:
    """What is known of the menu, and what each pilot found; values in the unit of the objective, which ends names."""
    unit, best = menu.aims.definition.key, menu.best[0]
    return {
        "leader": menu.aims.leader,
        "menu": menu.names,
        f"worth_{unit}": menu.worth_usd,
        "metered_is": menu.aims.definition.metered_as,
        f"metered_{unit}": menu.metered(in_force),
        "best": menu.names[best],
        "best_recommended": sum(one.recommended == best for one in results),
        "pilots": [
            {
                "seed": one.plan.seed,
                "recommended": menu.names[one.recommended],
                f"score_{unit}": one.score,
                f"half_width_{unit}": one.half_width,
                f"realised_{unit}": one.realised,
                f"realised_best_{unit}": one.realised_best,
                f"realised_random_{unit}": one.realised_random,
                f"regret_{unit}": one.regret,
                f"random_regret_{unit}": one.random_regret,
            }
            for one in results
        ],
    }


def _write(out: str, result: dict[str, Any], scenario: dict[str, Any]) -> None:
    from meanwatt.analysis.output.result_files import write_result

    unit = find(result["leader"]).key
    table: dict[str, list[Any]] = {
        name: [] for name in ("seed", "round", "tariff", f"score_{unit}", f"half_width_{unit}")
    }
    for one in result["pilots"]:
        for number, (scores, widths) in enumerate(
            zip(one[f"score_{unit}"].tolist(), one[f"half_width_{unit}"].tolist(), strict=True)
        ):
            for row in zip(result["menu"], scores, widths, strict=True):
                for name, value in zip(table, (one["seed"], number, *row), strict=True):
                    table[name].append(value)
    write_result(
        out,
        name="pilot",
        result=result,
        manifest={"settings": result["settings"], "seed": result["settings"]["seed"], "scenario": scenario},
        tables={"pilot_rounds": table},
    )


def _tables(result: dict[str, Any]) -> None:
    """Print the result for people."""
    from meanwatt.analysis.cli.show import figure, say, table

    say(f"{result['scenario']}, tariff in force {result['tariff']}: {result['message']}")
    found = result.get("pilots")
    if not found:
        return
    objective = find(result["leader"])
    unit = objective.key
    table(
        f"What each arm metered behind the best one, mean over the rounds, in thousandths of {objective.unit}",
        ("seed", *result["menu"], "recommended"),
        [
            *((str(one["seed"]), *_behind(one[f"score_{unit}"].mean(axis=0)), one["recommended"]) for one in found),
            ("mean field, by its meters", *_behind(result[f"metered_{unit}"]), ""),
            ("mean field", *_behind(result[f"worth_{unit}"]), ""),
        ],
    )
    say(
        f"{result['best']}, best of the menu in the mean field, was recommended by {result['best_recommended']} of"
        f" {len(found)}."
    )
    regrets = [(one[f"regret_{unit}"], one[f"random_regret_{unit}"]) for one in found]
    known = [pair for pair in regrets if None not in pair]
    if known:
        own, drawn = (sum(column) / len(known) for column in zip(*known, strict=True))
        say(
            f"Realised over all days, the pilot's included, it lost {figure(own, 4)} {objective.unit} on posting"
            f" {result['best']} from the first day; posting at random lost {figure(drawn, 4)}."
        )


def _behind(values: Any) -> list[str]:
    from meanwatt.analysis.cli.show import figure

    return [figure(1000 * float(value), 1) for value in values - values.max()]
