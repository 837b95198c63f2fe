"""``meanwatt flow SCENARIO``: the loads are those of a market of the scenario, day by day."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meanwatt.analysis.cli.watching import Work
    from meanwatt.analysis.year_flow.slots_solved import SolvedSlots
    from meanwatt.model.market.market_centre import MarketCentre
    from meanwatt.model.scenario.messages import Messages

OF_A_MARKET: Final = ("households", "days", "year", "seed", "tariff", "set")
"""Options that belong to a scenario's market."""
OF_A_FILE: Final = ("reactive", "slot_hours")
"""Options that belong to a file of loads."""
DAYS: Final = 1


def require_one_source(loads: str | None, given: "Mapping[str, Any]", feeder_or_scenario: str) -> None:
    """Raise ``ValueError``, in one line, where options of a file of loads and of a market are mixed."""
    from meanwatt.model.network.feeder import FEEDERS

    for name in OF_A_MARKET if loads is not None else OF_A_FILE:
        if given[name]:
            option = f"--{name.replace('_', '-')}"
            raise ValueError(
                f"{option} belongs to a scenario's market, and --loads gives loads of a file; leave one of them out"
                if loads is not None
                else f"{option} belongs to a file of loads; give --loads FILE, or leave it out"
            )
    if loads is None and feeder_or_scenario in FEEDERS:
        raise ValueError(
            f"{feeder_or_scenario} is a feeder, which needs --loads FILE; without it give a scenario, whose market"
            " loads its feeder"
        )


def market_slots(
    scenario: str, given: "Mapping[str, Any]", limits: str, voltages: Path | None, work: "Work"
) -> "tuple[SolvedSlots, float, dict[str, Any], Messages]":
    """Live the days of a scenario's market, and gather the states of its feeder.

    Returns
    -------
    SolvedSlots, float, dict, tuple of str
        The slots, their length [h], what fixes the run, and what is to be said.

    Raises
    ------
    ValueError
        In one line, for a number that is not allowed or a scenario that cannot be lived, and where prices have none.
    """
    from contextlib import closing, nullcontext

    from meanwatt.agents.early_mesa import load_mesa
    from meanwatt.analysis.cli.inputs import read_in_year
    from meanwatt.analysis.cli.options import whole_number
    from meanwatt.analysis.cli.simulate_components import solve_lived
    from meanwatt.analysis.cli.year_option import asked_days, asked_year, dates, days_after, stamps
    from meanwatt.analysis.simulation.simulation import simulate
    from meanwatt.analysis.year_flow.slots_solved import SolvedSlots
    from meanwatt.analysis.year_flow.voltages_file import VoltagesFile
    from meanwatt.model.market.behaviour_spec import read_behaviour
    from meanwatt.model.network.feeder_file import scenario_feeder
    from meanwatt.model.network.power_flow import VoltageLimits
    from meanwatt.model.scenario.counted import counted
    from meanwatt.model.scenario.messages import joined
    from meanwatt.model.scenario.ranges import HOUSEHOLDS, SEED

    load_mesa()
    year = asked_year(given["year"])
    held = {"classes": True, "components": True, "branches": True, "envelopes": True}
    inputs = read_in_year(scenario, given["tariff"], given["set"], year, **held)
    economy = inputs.economy
    feeder = scenario_feeder(economy.scenario.feeder, peak_reference_kw=economy.peak_reference_kw)

    def whole(name: str, default: int, allowed: Any) -> int:
        return default if given[name] is None else whole_number(f"--{name}", given[name], allowed, example=default or 1)

    size = {
        "households": whole("households", int(feeder.customers.sum()), HOUSEHOLDS),
        "days": asked_days(given["days"], year, DAYS),
        "seed": whole("seed", 0, SEED),
    }
    solved = solve_lived(inputs, asked=True, unaware=(), watch=work.watch)
    if solved.found is None:
        raise ValueError(f"scenario {economy.scenario.name} has no equilibrium to live by: {solved.message}")
    days_known = dates(economy.scenario, size["days"])
    done = SolvedSlots(feeder=feeder, limits=VoltageLimits(limits))
    kept = nullcontext() if voltages is None else closing(VoltagesFile(voltages, feeder.buses))
    with kept as file:

        def add(market: "MarketCentre") -> None:
            grid, carried = market.power_flow, market.history[-1].grid
            assert grid is not None
            assert grid.result is not None
            assert carried is not None
            times = stamps(days_known, len(market.history) - 1, economy.slots, economy.slot_hours)
            done.add(times, carried.net_load_kw, grid.result)
            if file is not None:
                file.add(times, grid.result)

        work.new_stage("simulating")
        lived = simulate(
            economy,
            solved.tariff,
            equilibrium=solved.found,
            composed=solved.composed,
            behaviour=read_behaviour("equilibrium"),
            households=size["households"],
            days=size["days"],
            seed=size["seed"],
            told=lambda day: work.show(f"day {day} of {size['days']}", day / size["days"]),
            cancelled=work.cancelled,
            each_day=add,
        )
    days, homes = counted(size["days"], "day"), counted(size["households"], "simulated household")
    whose = f"Loads are those of a market: {homes} on {days}, for {int(feeder.customers.sum()):,} customers."
    by_phase = 'feeder.phases = "one": told is the balanced state of the feeder; simulate tells that of each phase.'
    phases = (by_phase,) if economy.scenario.feeder.phases == "one" else ()
    told = joined((whose,), phases, solved.messages, lived.messages, days_after(year, size["days"]))
    return done, economy.slot_hours, {**size, "year": year}, told
