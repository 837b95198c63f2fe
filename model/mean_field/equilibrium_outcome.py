"""How a solve for the equilibrium ended: the code, and the sentence."""

from enum import StrEnum

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.solvers.methods import AUTO, SolverMethod
from meanwatt.model.mean_field.solvers.price_search import PriceSolution
from meanwatt.model.mean_field.solvers.revenue_recovery import Recovered
from meanwatt.model.scenario.counted import counted


class Outcome(StrEnum):
    """How a solve ended."""

    CONVERGED = "converged"
    ROUND_LIMIT = "round_limit"
    NO_ADEQUATE_TARIFF = "no_revenue_adequate_tariff"
    CANCELLED = "cancelled"


def outcome_of(was_cancelled: bool, recovered: Recovered, residual: float, tolerance: float) -> Outcome:
    """Tell how a solve ended by its residual and what it may be. [USD/kWh]"""
    if was_cancelled:
        return Outcome.CANCELLED
    if residual > tolerance:
        return Outcome.ROUND_LIMIT
    return Outcome.CONVERGED if recovered.adequate else Outcome.NO_ADEQUATE_TARIFF


def outcome_sentence(
    outcome: Outcome,
    residual: float,
    surplus: float,
    tariff: Tariff,
    prices: PriceSolution,
    evaluations: int,
    solved: bool,
    method: SolverMethod,
) -> str:
    """Put the outcome in words a reader can act on."""
    after = counted(evaluations, "evaluation")
    if outcome is Outcome.CONVERGED:
        return f"Converged: prices answer themselves within {residual:.1e} USD/kWh after {after}."
    if outcome is Outcome.ROUND_LIMIT:
        tried = f" Tried: {prices.tried}." if prices.tried else ""
        alone = "" if method is AUTO else f"{method.name} was asked for by itself: give solver {AUTO.name}, or "
        return (
            f"Not converged: prices still move by {residual:.1e} USD/kWh after {after};"
            f" {alone}raise temperature_usd or lower the pass-through.{tried}"
        )
    if outcome is Outcome.CANCELLED and solved:
        return f"Cancelled after {after}: the prices are found, their certificates are not complete."
    if outcome is Outcome.CANCELLED:
        return f"Cancelled after {after}; the figures are those of the starting point."
    return (
        f"No revenue-adequate tariff: up to an adder of {tariff.adder_cap_usd_per_kwh:g} USD/kWh revenue never covers"
        f" cost; the smallest shortfall found is {-surplus:.3f} USD per household-day at an adder of"
        f" {prices.answer.adder_usd_per_kwh:.3f} USD/kWh. Raise the fixed charge, or credit exports below the retail"
        " rate."
    )
