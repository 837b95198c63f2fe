"""A request to stop is heard within a bounded number of kernel calls, in the middle of an evaluation."""

from collections.abc import Callable

import numpy as np
import pytest
from scenarios import WEATHER, small_decision_problem, small_economy, small_household, small_rates, small_tariff

from meanwatt.agents.household import best_response as responses
from meanwatt.agents.household.best_response import best_response
from meanwatt.model.mean_field.certificates import exploitability_usd_per_day
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.mean_field.population import flow as flows
from meanwatt.model.mean_field.population.flow import stationary_flow
from meanwatt.model.mean_field.population.population_response import population_response
from meanwatt.model.progress.watch import Cancelled, Watch


class StopAt:
    """Asks to stop at the n-th question, and counts them."""

    def __init__(self, question: int) -> None:
        self.question, self.asked = question, 0

    def __call__(self) -> None:
        """Ask once more."""
        self.asked += 1
        if self.asked >= self.question:
            raise Cancelled


@pytest.fixture
def a_day_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels are called for a day at a time, as those of large games are."""
    monkeypatch.setattr(responses, "CELLS_AT_ONCE", 1)
    monkeypatch.setattr(flows, "CELLS_AT_ONCE", 1)


def counted(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> list[int]:
    """Replace a kernel by one that counts its calls."""
    kernel: Callable[..., object] = getattr(module, name)
    calls: list[int] = []

    def counting(*arguments: object) -> object:
        calls.append(1)
        return kernel(*arguments)

    monkeypatch.setattr(module, name, counting)
    return calls


@pytest.mark.usefixtures("a_day_a_call")
@pytest.mark.parametrize("temperature", [0.05, 0.0])
def test_a_best_response_stops_before_the_next_day(monkeypatch: pytest.MonkeyPatch, temperature: float) -> None:
    household, rates, horizon = small_household(), small_rates(), small_decision_problem(temperature)
    days = counted(monkeypatch, responses, "iterate_days")
    best_response(household, rates, horizon)
    assert len(days) > 3
    days.clear()
    with pytest.raises(Cancelled):
        best_response(household, rates, horizon, check=StopAt(3))
    assert len(days) == 2


@pytest.mark.usefixtures("a_day_a_call")
def test_a_stationary_law_stops_before_the_next_day(monkeypatch: pytest.MonkeyPatch) -> None:
    household, rates, horizon = small_household(), small_rates(), small_decision_problem()
    policy = best_response(household, rates, horizon).policy
    days = counted(monkeypatch, flows, "push_days")
    with pytest.raises(Cancelled):
        stationary_flow(policy, horizon.shock_kernel, horizon.shock_probability, WEATHER, check=StopAt(3))
    assert len(days) == 2


@pytest.mark.usefixtures("a_day_a_call")
@pytest.mark.parametrize("discount", [1.0, 0.9])
def test_days_in_calls_of_one_end_where_days_in_one_call_do(monkeypatch: pytest.MonkeyPatch, discount: float) -> None:
    household, rates = small_household(), small_rates()
    horizon = small_decision_problem(discount=discount)
    one = best_response(household, rates, horizon)
    law = stationary_flow(one.policy, horizon.shock_kernel, horizon.shock_probability, WEATHER).law
    monkeypatch.setattr(responses, "CELLS_AT_ONCE", 10**9)
    monkeypatch.setattr(flows, "CELLS_AT_ONCE", 10**9)
    all_at_once = best_response(household, rates, horizon)
    assert one.days == all_at_once.days
    assert (one.policy.probability == all_at_once.policy.probability).all()
    again = stationary_flow(one.policy, horizon.shock_kernel, horizon.shock_probability, WEATHER).law
    assert law == pytest.approx(again, abs=1e-12)


@pytest.mark.usefixtures("a_day_a_call")
def test_certificates_stop_within_a_day() -> None:
    economy = small_economy(temperature_usd=0.05)
    found = population_response(economy, small_tariff(economy), np.full((3, 3), 0.15), 0.0)
    stop = StopAt(3)
    with pytest.raises(Cancelled):
        exploitability_usd_per_day(economy, small_tariff(economy), found, stop)
    assert stop.asked == 3


def test_a_request_during_the_certificates_keeps_the_prices_found() -> None:
    economy = small_economy()
    tariff = small_tariff(economy)
    stages: list[str] = []
    found = solve_equilibrium(
        economy,
        tariff,
        watch=Watch(
            progress=lambda report: stages.append(report.stage),
            cancelled=lambda: any(stage.startswith("certificates") for stage in stages),
        ),
    )
    assert found.outcome is Outcome.CANCELLED
    assert found.contraction is None
    assert found.message.endswith("the prices are found, their certificates are not complete.")
    plain = solve_equilibrium(economy, tariff, certify=False)
    assert (found.wholesale_usd_per_kwh == plain.wholesale_usd_per_kwh).all()
