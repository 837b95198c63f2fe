"""The evaluator that searches over tariffs share: what it solves, how often, and what it remembers."""

import numpy as np
import pytest
from scenarios import small_economy

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.model.mean_field.components import posted as solving
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.leader import tariff_evaluator as module
from meanwatt.model.mean_field.leader.tariff_evaluator import BudgetSpent, TariffEvaluator
from meanwatt.model.mean_field.leader.tariff_family import TariffFamily
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy

CHEAP, DEAR = np.array([0.1, 0.5]), np.array([0.3, 0.5])


@pytest.fixture(scope="module")
def economy() -> Economy:
    return small_economy(temperature_usd=0.03)


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[Equilibrium | None]:
    """Where every solve started, in order."""
    seen: list[Equilibrium | None] = []
    solve = solving.solve_equilibrium

    def counted(*game: object, start: Equilibrium | None = None, **options: object) -> Equilibrium:
        seen.append(start)
        return solve(*game, start=start, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(solving, "solve_equilibrium", counted)
    return seen


def evaluator(economy: Economy, **options: object) -> TariffEvaluator:
    """Evaluate energy charge and pass-through by the surplus, to be as high as possible, and the highest rate."""
    family = TariffFamily(
        free=("energy_usd_per_kwh", "pass_through"),
        low=np.array([0.0, 0.0]),
        high=np.array([0.4, 1.0]),
        pattern=np.ones((3, economy.slots)),
        income_ratio=np.ones(len(economy.groups)),
        recovery=Recovery.POSTED,
    )
    return TariffEvaluator(economy, family, measure, **{"watch": Watch(), **options})  # type: ignore[arg-type]


def measure(found: Equilibrium) -> Floats:
    return np.array([found.surplus_usd_per_household_day, found.rates.import_usd_per_kwh.max() - 0.3])


def test_a_tariff_is_solved_once_from_the_equilibrium_before(
    economy: Economy, starts: list[Equilibrium | None]
) -> None:
    tried = evaluator(economy)
    first, second = tried.evaluate(CHEAP), tried.evaluate(DEAR)
    assert tried.evaluate(CHEAP + 1e-14) is first
    assert len(starts) == 2
    assert starts[0] is None
    assert starts[1] is tried.equilibrium(CHEAP)
    assert [one.parameters.tolist() for one in tried.trials] == [CHEAP.tolist(), DEAR.tolist()]
    assert second.values == pytest.approx(measure(tried.equilibrium(DEAR)), abs=0)
    assert len(starts) == 2, "both equilibria are held"


def test_after_a_derivative_a_solve_starts_from_the_prediction_and_finds_the_same(
    economy: Economy, starts: list[Equilibrium | None]
) -> None:
    tried, near = evaluator(economy), CHEAP + np.array([0.01, 0.05])
    tried.jacobian(tried.family.unit(CHEAP))
    found, start, before = tried.solve(near), starts[-1], tried.equilibrium(CHEAP)
    assert start is not None
    assert start.net_load_slope is not None
    ahead, behind = (np.abs(e.wholesale_usd_per_kwh - found.wholesale_usd_per_kwh).max() for e in (start, before))
    assert ahead < behind / 2, "the prediction is nearer"
    own = solving.solve_equilibrium(economy, tried.family.tariff(near), certify=False)
    # both within 1e-9 USD/kWh of answering themselves, under a price map that is no steeper than some units
    np.testing.assert_allclose(found.wholesale_usd_per_kwh, own.wholesale_usd_per_kwh, atol=1e-8)
    assert measure(found) == pytest.approx(measure(own), abs=1e-7)


def test_one_that_does_not_follow_starts_every_solve_alike_and_holds_no_more_than_asked(
    economy: Economy, starts: list[Equilibrium | None]
) -> None:
    origin = evaluator(economy).solve(CHEAP)
    tried = evaluator(economy, start=origin, follows=False, holds=1)
    for parameters in (DEAR, CHEAP, DEAR):
        tried.evaluate(parameters)
    assert len(starts) == 3
    assert all(start is origin for start in starts[1:])
    tried.equilibrium(CHEAP)
    assert len(starts) == 3, "the last found is held"
    tried.equilibrium(DEAR)
    assert len(starts) == 4, "and no other"


def test_the_budget_counts_new_tariffs_alone_and_a_request_to_stop_comes_first(economy: Economy) -> None:
    asked: list[bool] = []
    tried = evaluator(economy, watch=Watch(cancelled=lambda: bool(asked)))
    tried.allowed = 1
    first = tried.evaluate(CHEAP)
    assert tried.evaluate(CHEAP) is first
    with pytest.raises(BudgetSpent):
        tried.evaluate(DEAR)
    asked.append(True)
    with pytest.raises(Cancelled):
        tried.evaluate(DEAR)
    assert tried.evaluate(CHEAP) is first


def test_the_best_is_feasible_and_the_first_of_equals(economy: Economy) -> None:
    tried = evaluator(economy)
    assert tried.best(1e-6) is None
    cheap, dear, over = (tried.evaluate(np.array([energy, 0.0])) for energy in (0.1, 0.29, 0.35))
    assert over.values[0] > dear.values[0] > cheap.values[0]
    assert tried.best(1e-6) is dear
    assert tried.best(1.0) is over
    tried.post(dear.parameters)
    assert tried.best(1e-6) is dear


def test_derivatives_along_the_prediction_and_to_solved_neighbours_agree(economy: Economy) -> None:
    unit = np.array([0.4, 0.5])
    along, beside = evaluator(economy).jacobian(unit), evaluator(economy, step=1e-4).jacobian(unit)
    assert along.shape == (2, 2)
    assert beside == pytest.approx(along, abs=1e-4 * 10)  # the step times a second derivative of a few units


def test_nothing_is_differentiated_where_an_equilibrium_was_not_found(
    economy: Economy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_settled", lambda found: False)
    tried = evaluator(economy)
    assert not tried.jacobian(np.array([0.4, 0.5])).any()
    assert not tried.trials[0].settled
    assert tried.start is None, "nobody starts from there"
