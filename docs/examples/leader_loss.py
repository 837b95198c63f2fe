# ruff: noqa: T201
"""What the leader loses in a market of 1,000: ``uv run python docs/examples/leader_loss.py`` prints it by preset.

The check of `meanwatt validate --checks leader` at that size: the commission's best tariff of the mean field against
the best found in markets, on fresh draws; the tariff in force is textbook's `flat` and oahu's `filed`.
"""

from meanwatt.analysis.validation.leader import LeaderLoss, leader_loss
from meanwatt.analysis.validation.sample import Sample
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

IN_FORCE = {"textbook": "flat", "oahu": "filed"}
SAMPLE = Sample(households=(1_000,), replications=6, days=28, seed=0)


def measured(preset: str) -> LeaderLoss:
    """The loss of a preset's leader."""
    economy = build_economy(load_scenario(preset))
    return leader_loss(
        solve_equilibrium(economy, build_tariff(economy.scenario, IN_FORCE[preset]), certify=False), SAMPLE
    )


def cells(found: LeaderLoss) -> tuple[str, str]:
    """Loss with its interval in 10⁻⁵ USD per household-day, and the gain, as the page writes them."""
    (loss,) = found.loss
    ends = [f"{1e5 * end:.1f}".replace("-", "−") for end in (loss.value, loss.low, loss.high) if end is not None]
    value, *interval = (f"{end}·10⁻⁵" for end in ends)
    return f"{value} [{', '.join(interval)}]", f"{found.gain:.5f}"


def main() -> None:
    """Measure and print."""
    for preset in IN_FORCE:
        loss, gain = cells(measured(preset))
        print(f"{preset}: loss {loss} of a gain of {gain} USD per household-day")


if __name__ == "__main__":
    main()
