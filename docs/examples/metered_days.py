"""Metered days until a learner is within 5 % of what there is to gain.

    uv run python docs/examples/metered_days.py METHOD,METHOD SEEDS ROUNDS

Textbook, mean field, the tariff `filed` in force. The utility is held against the commitment. The commission cannot get
there by meters, which do not show the entropy of choices: it is held against the tariff that its meters like best. It
is worth 0.0078 USD per household-day less than the commitment (docs/discussion/learning_leader.md).
"""

import sys

from meanwatt.analysis.design.design import DesignProblem, commitment_search
from meanwatt.analysis.leader.leader_spec import LeaderSpec, default_price_cap_usd_per_kwh
from meanwatt.analysis.learning.campaign import recommended_objectives, try_tariffs
from meanwatt.analysis.learning.environment import MeanFieldEnvironment
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

SHARE = 0.95
UNSEEN_USD = {"commission": 0.0078, "utility": 0.0}
"""What meters cannot show of the gain. [USD per household-day]"""


def main() -> None:
    """Print the rounds and days of every learner and seed."""
    methods, seeds, rounds = sys.argv[1].split(","), int(sys.argv[2]), int(sys.argv[3])
    scenario = load_scenario("textbook", tariff="filed")
    economy, tariff = build_economy(scenario), build_tariff(scenario)
    baseline = solve_equilibrium(economy, tariff)
    for leader, unseen in UNSEEN_USD.items():
        cap = default_price_cap_usd_per_kwh(economy) if leader == "utility" else None
        aims = LeaderSpec(leader=leader, price_cap_usd_per_kwh=cap)
        problem = DesignProblem(economy=economy, aims=aims, baseline=baseline)
        in_force = aims.objective()(baseline)
        best = commitment_search()(problem).objective
        least = in_force + SHARE * (best - unseen - in_force)
        for method in methods:
            for seed in range(seeds):
                where = MeanFieldEnvironment(baseline)
                tried = try_tariffs(problem, where, method=method, evaluations=rounds, seed=seed)
                worth = recommended_objectives(tried)
                there = [one is not None and one >= least for one in worth]
                first = next((place + 1 for place in range(len(there)) if all(there[place:])), None)
                days = f"> {rounds * where.trial_days}" if first is None else str(first * where.trial_days)
                lost = "–" if worth[-1] is None else f"{best - worth[-1]:.4f}"
                sys.stdout.write(f"{leader} | {method} | seed {seed} | {days} days | regret at the end {lost}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
