"""The softmax leader against the best pure policy and the exact leader: error, bound, schedule, critical peaks."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scenarios import preset_economy, preset_tariff, small_economy, small_tariff, welfare
from scipy.optimize import minimize

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.softmax import softmax
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader import softmax_leader as module
from meanwatt.model.mean_field.leader.annealing import Stage, annealing
from meanwatt.model.mean_field.leader.epsilon_net import epsilon_net, lipschitz
from meanwatt.model.mean_field.leader.mixed_tariff import extended_economy, extended_tariff, tariff_by_day_type
from meanwatt.model.mean_field.leader.softmax_bound import TIED_USD, SoftmaxLeader
from meanwatt.model.mean_field.leader.softmax_leader import Continuation, Information, leader_states, softmax_leader
from meanwatt.model.progress.watch import Cancelled, Progress, Watch
from meanwatt.model.scenario.economy import Economy

SOLVED_USD = 1e-7
"""What objectives of two solves of one game may differ by: prices are known to 1e-9 USD/kWh."""
COLD = (Stage(temperature_usd=0.0),)


@cache
def island(seed: int = 0, memory: int = 0) -> Economy:
    return small_economy(temperature_usd=0.03, seed=seed, memory=memory)


def worth(found: Equilibrium) -> float:
    return welfare(found.economy, found.answer)


def margin(found: Equilibrium) -> float:
    return found.surplus_usd_per_household_day


def peak_on(economy: Economy, recovery: Recovery = Recovery.FIXED, pass_through: float = 0.0) -> Callable[..., Tariff]:
    """The family of tariffs with a peak price on the last slot."""

    def tariff(parameters: Floats) -> Tariff:
        energy = np.full((len(economy.common.day_types), economy.slots), 0.05)
        energy[:, -1] += parameters[0]
        return small_tariff(
            economy,
            name=f"peak {parameters[0]:g}",
            energy_usd_per_kwh=energy,
            export_usd_per_kwh=energy - 0.03,
            pass_through=pass_through,
            export_pass_through=pass_through,
            recovery=recovery,
        )

    return tariff


def menu_of(economy: Economy, *peaks: float, **changes: object) -> list[Tariff]:
    family = peak_on(economy, **changes)
    return [family(np.array([p])) for p in peaks]


@cache
def settled(
    temperature: float,
    seed: int = 0,
    information: Information = Information.DAY_TYPE,
    pass_through: float = 0.0,
    continuation: Continuation = Continuation.POLICY,
    objective: Callable[[Equilibrium], float] = worth,
) -> SoftmaxLeader:
    """A menu of three peak prices on the small economy."""
    recovery = Recovery.POSTED if objective is margin else Recovery.FIXED
    menu = menu_of(island(seed), 0.0, 0.15, 0.3, recovery=recovery, pass_through=pass_through)
    schedule = [Stage(temperature_usd=temperature)]
    return softmax_leader(
        island(seed), menu, objective, schedule=schedule, information=information, continuation=continuation
    )


CASES = [
    {},
    {"seed": 1},
    {"seed": 2, "continuation": Continuation.GREEDY},
    {"seed": 3, "objective": margin},
    {"pass_through": 0.5, "continuation": Continuation.GREEDY},
    {"seed": 1, "information": Information.NOTHING, "pass_through": 0.5},
    {"seed": 1, "information": Information.NOTHING},
    {"information": Information.HISTORY, "continuation": Continuation.GREEDY},
]


def named(case: dict) -> str:
    """``seed=3 objective=margin``."""
    return " ".join(f"{key}={getattr(value, '__name__', value)}" for key, value in case.items()) or "as given"


TEMPERATURES = [0.05, 0.01, 0.002, 0.0004]


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_measured_error_never_exceeds_the_bound_and_both_vanish_as_the_leader_cools(case: dict) -> None:
    cooling = [settled(temperature, **case) for temperature in TEMPERATURES]
    for found in cooling:
        assert found.outcome is Outcome.CONVERGED
        assert found.error_usd <= found.bound_usd + SOLVED_USD
        # the softmax part, taken from the table without the bound's own help
        always_best, softly = softmax(found.worth_usd, 0.0), found.policy
        drawn = found.optimum.expected(always_best) - found.optimum.expected(softly)
        assert drawn <= found.softmax_bound_usd + SOLVED_USD
        assert (np.abs(softly - always_best).sum(axis=1) <= found.distance_bound + 1e-12).all()
    errors = [found.error_usd for found in cooling]
    assert errors[-1] <= 0.2 * errors[0] + SOLVED_USD
    assert all(later <= earlier + SOLVED_USD for earlier, later in pairwise(errors))
    bounds = [found.bound_usd for found in cooling]
    assert all(later <= earlier + SOLVED_USD for earlier, later in pairwise(bounds))


@pytest.mark.parametrize("case", CASES, ids=named)
def test_an_exact_leader_is_at_a_coordinate_wise_optimum_and_here_at_the_best(case: dict) -> None:
    found = settled(0.0, **case)
    assert sorted(set(found.policy.ravel())) == [0.0, 1.0], "no draw is left"
    assert found.softmax_bound_usd == 0.0
    assert found.error_usd == pytest.approx(found.coordination_usd, abs=SOLVED_USD)
    best = found.policy.argmax(axis=1)
    for s in range(len(best)):
        others = [*best[:s], slice(None), *best[s + 1 :]]
        assert found.optimum.table[tuple(others)] == pytest.approx(found.worth_usd[s], abs=SOLVED_USD)
        assert found.worth_usd[s].max() == pytest.approx(found.objective, abs=SOLVED_USD)
    assert found.error_usd == pytest.approx(0.0, abs=SOLVED_USD)


def test_the_policy_is_the_softmax_of_worths_that_a_plain_solve_confirms() -> None:
    economy, menu = island(), menu_of(island(), 0.0, 0.15, 0.3)
    found = settled(0.01)
    assert found.policy == pytest.approx(softmax(found.worth_usd, 0.01))
    for s, a in [(0, 0), (1, 2), (2, 1)]:
        policy = found.policy.copy()
        policy[s] = np.eye(3)[a]
        drawn = policy[found.state]
        solved = solve_equilibrium(extended_economy(economy, menu, drawn), extended_tariff(economy, menu, drawn))
        assert found.worth_usd[s, a] == pytest.approx(worth(solved), abs=1e-6)  # rows settle to 1e-6
    assert found.objective == pytest.approx(worth(found.equilibrium))
    assert found.optimum.objective == found.optimum.table.max()


def test_the_table_of_pure_policies_holds_what_ordinary_tariffs_by_day_type_are_worth() -> None:
    economy, menu = island(), menu_of(island(), 0.0, 0.15, 0.3)
    table = settled(0.01).optimum.table
    for choice in [(0, 0, 0), (0, 1, 2), (2, 0, 1)]:
        posted = tariff_by_day_type(economy, menu, np.array(choice))
        assert table[choice] == pytest.approx(worth(solve_equilibrium(economy, posted, certify=False)), abs=SOLVED_USD)


def test_one_draw_for_ever_differs_from_a_draw_every_midnight_by_the_mixing_alone() -> None:
    found = settled(0.05)
    table, (x, y, z) = found.optimum.table, found.policy
    once = sum(x[i] * y[j] * z[k] * table[i, j, k] for i in range(3) for j in range(3) for k in range(3))
    assert found.mixing_usd == pytest.approx(found.objective - once)
    assert abs(found.mixing_usd) > 1e-5, "followers do answer the draw"


def test_seeing_more_never_hurts_a_leader_who_commits() -> None:
    blind, seeing = settled(0.0, information=Information.NOTHING), settled(0.0, information=Information.DAY_TYPE)
    assert seeing.optimum.objective >= blind.optimum.objective - SOLVED_USD
    assert blind.optimum.table == pytest.approx(np.diagonal(np.diagonal(seeing.optimum.table)), abs=SOLVED_USD)
    assert len(set(blind.choice)) == 1


def test_what_the_leader_sees_is_nothing_the_day_type_or_the_history() -> None:
    economy = island(memory=1)
    assert set(leader_states(economy, Information.NOTHING)) == {0}
    assert (leader_states(economy, Information.DAY_TYPE) == economy.common.today).all()
    assert (leader_states(economy, Information.HISTORY) == np.arange(9)).all()


@cache
def whole_net(points: int) -> SoftmaxLeader:
    """The best of all peak prices on a net of 0 to 40 cents."""
    economy = island()
    return softmax_leader(economy, epsilon_net(0.0, 0.4, points), worth, schedule=COLD, tariff_of=peak_on(economy))


def test_the_exact_leader_is_approached_as_the_net_gets_finer_no_slower_than_the_slope_allows() -> None:
    """The exact leader chooses three peak prices freely; COBYQA finds them."""
    economy = island()
    family = peak_on(economy)
    low, high = 0.0, 0.4

    def loss(peaks: Floats) -> float:
        menu = [family(np.array([p])) for p in peaks]
        return -worth(solve_equilibrium(economy, tariff_by_day_type(economy, menu, np.arange(3)), certify=False))

    exact = minimize(
        loss, np.full(3, 0.2), method="COBYQA", bounds=[(low, high)] * 3, options={"final_tr_radius": 1e-5}
    )
    nets = [epsilon_net(low, high, points) for points in (2, 3, 5, 9)]
    optima = [whole_net(len(net.parameters)).optimum for net in nets]
    losses = [-exact.fun - optimum.objective for optimum in optima]
    slopes = [lipschitz(net, optimum.table) for net, optimum in zip(nets, optima, strict=True)]
    assert min(losses) >= -1e-6, "no member of the family beats the exact leader"
    assert all(finer >= coarser - 1e-5 for coarser, finer in pairwise(slopes)), "estimates from below, over nested nets"
    for net, loss in zip(nets, losses, strict=True):
        assert loss <= slopes[-1] * net.epsilon + SOLVED_USD
    assert all(finer <= coarser + SOLVED_USD for coarser, finer in pairwise(losses)), "nested nets"
    assert losses[-1] < 0.05 * losses[0]


def test_annealing_with_halving_ends_near_the_whole_fine_net_at_a_fraction_of_its_size() -> None:
    economy = island()
    family, net = peak_on(economy), epsilon_net(0.0, 0.4, 3)
    whole = whole_net(9)
    schedule = (*annealing(0.02, 0.0005, 4, halvings=2), *COLD)
    found = softmax_leader(economy, net, worth, schedule=schedule, tariff_of=family, continuation=Continuation.GREEDY)
    assert found.outcome is Outcome.CONVERGED
    assert [step.epsilon for step in found.steps] == [0.25, 0.125, 0.0625, 0.0625, 0.0625]
    assert [step.temperature_usd for step in found.steps] == [stage.temperature_usd for stage in schedule]
    assert found.objective == pytest.approx(whole.optimum.objective, abs=1e-4)
    assert [step.policy.shape[1] for step in found.steps][-1] == len(found.menu) <= 9
    assert np.diff([step.evaluations for step in found.steps]).min() >= 0
    assert found.steps[-1].objective == found.objective
    objectives = [step.objective for step in found.steps]
    assert objectives == sorted(objectives), "cooler and finer is better here"


def test_hot_days_get_the_higher_peak_price() -> None:
    """Oahu with a load 40 % higher on clear days: critical-peak pricing comes out of welfare alone."""
    changes = ("memory=0", "battery_levels=5", "day_types.clear.load_factor=1.4")
    economy = preset_economy("oahu", *changes)
    tou = preset_tariff("oahu", "tou", *changes, "tariff.recovery=fixed", "tariff.export.pass_through=0.0")
    peak = tou.energy_usd_per_kwh[0] == tou.energy_usd_per_kwh.max()

    def tariff(parameters: Floats) -> Tariff:
        energy = np.where(peak, 0.33 + parameters[0], np.full_like(tou.energy_usd_per_kwh, 0.33))
        changed = {name: getattr(tou, name) for name in Tariff.__dataclass_fields__}
        return Tariff(**{**changed, "energy_usd_per_kwh": energy, "export_usd_per_kwh": np.full_like(energy, 0.15)})

    net = epsilon_net(0.0, 0.4, 5)
    found = softmax_leader(economy, net, worth, schedule=COLD, tariff_of=tariff, continuation=Continuation.GREEDY)
    posted = dict(zip(economy.common.day_types, net.parameters[found.choice, 0], strict=True))
    assert posted["clear"] > posted["partly"]
    assert posted["clear"] > posted["cloudy"]
    assert found.error_usd == pytest.approx(0.0, abs=SOLVED_USD)
    alike = max(found.optimum.table[k, k, k] for k in range(5))
    assert found.objective > alike + 100 * SOLVED_USD, "and it is worth something"


def test_identical_tariffs_share_the_chance_and_their_tie_costs_nothing() -> None:
    economy = island()
    menu = menu_of(economy, 0.0, 0.15, 0.15, 0.0)
    found = softmax_leader(economy, menu, worth, schedule=COLD, information=Information.NOTHING)
    assert found.worth_usd[0, [0, 1]] == pytest.approx(found.worth_usd[0, [3, 2]], abs=TIED_USD / 2)
    assert sorted(found.policy[0]) == [0.0, 0.0, 0.5, 0.5]
    assert found.error_usd == pytest.approx(0.0, abs=SOLVED_USD)
    assert found.bound_usd == pytest.approx(0.0, abs=SOLVED_USD)


def test_a_menu_of_one_leaves_nothing_to_choose() -> None:
    economy = island()
    only = menu_of(economy, 0.15)
    found = softmax_leader(economy, only, worth, schedule=[Stage(temperature_usd=0.1)])
    assert found.policy.tolist() == [[1.0]] * 3
    assert found.objective == pytest.approx(worth(solve_equilibrium(economy, only[0])), abs=SOLVED_USD)
    assert found.bound_usd == pytest.approx(0.0, abs=SOLVED_USD)


def test_a_tariff_that_leaves_the_objective_undefined_is_never_posted() -> None:
    def capped(found: Equilibrium) -> float:
        return margin(found) if found.rates.import_usd_per_kwh.max() <= 0.21 else -np.inf

    menu = menu_of(island(), 0.0, 0.15, 0.3, recovery=Recovery.POSTED)
    found = softmax_leader(island(), menu, capped, schedule=[Stage(temperature_usd=0.05)])
    assert found.outcome is Outcome.CONVERGED
    assert (found.policy[:, 2] == 0).all()
    assert (found.policy[:, :2] > 0).all()
    assert found.error_usd <= found.bound_usd
    assert found.optimum.choice.tolist() == [1, 1, 1], "the highest margin below the cap"


def test_more_pure_policies_than_can_be_compared_leave_error_and_bound_unknown() -> None:
    economy = island(memory=1)
    menu = menu_of(economy, 0.0, 0.15, 0.3)
    found = softmax_leader(
        economy, menu, worth, schedule=COLD, information=Information.HISTORY, continuation=Continuation.GREEDY
    )
    assert found.optimum is None, "3^9 = 19,683 policies"
    assert [found.error_usd, found.coordination_usd, found.mixing_usd, found.softmax_bound_usd, found.bound_usd] == (
        [None] * 5
    )
    by_day = softmax_leader(economy, menu, worth, schedule=COLD, continuation=Continuation.GREEDY)
    assert found.objective >= by_day.optimum.objective - SOLVED_USD


def test_progress_counts_equilibria_and_the_message_says_what_was_found() -> None:
    heard: list[Progress] = []
    menu = menu_of(island(), 0.0, 0.3)
    schedule = annealing(0.05, 0.01, 2)
    found = softmax_leader(island(), menu, worth, schedule=schedule, watch=Watch(progress=heard.append))
    assert [p.evaluations for p in heard] == list(range(1, found.evaluations + 1))
    fractions = [p.fraction for p in heard]
    assert fractions == sorted(fractions)
    assert set(fractions) <= {0.0, 0.5, 1.0}
    assert heard[2].stage == "softmax leader, temperature 0.05 USD"
    assert heard[-1].stage == "best pure policy of the menu"
    assert found.message == (
        f"Converged: objective {found.objective:.4f} USD per household-day over 2 tariffs at temperature 0.01 USD"
        f" after {found.evaluations} equilibria; the policy answers itself."
    )


def test_a_cancelled_search_gives_the_policy_of_the_last_sweep_or_nothing() -> None:
    menu = menu_of(island(), 0.0, 0.3)
    solved: list[Progress] = []

    def late() -> bool:
        return len(solved) >= 12

    found = softmax_leader(
        island(), menu, worth, schedule=annealing(0.05, 0.01, 3), watch=Watch(progress=solved.append, cancelled=late)
    )
    assert found.outcome is Outcome.CANCELLED
    assert found.message.startswith(f"Cancelled: objective {found.objective:.4f} USD per household-day over 2 tariffs")
    assert found.optimum is None
    assert found.policy == pytest.approx(softmax(found.worth_usd, found.temperature_usd))
    assert found.objective == pytest.approx(worth(found.equilibrium))
    with pytest.raises(Cancelled):
        softmax_leader(island(), menu, worth, schedule=COLD, watch=Watch(cancelled=lambda: True))


def test_a_policy_that_still_moves_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEPS", 1)
    found = softmax_leader(island(), menu_of(island(), 0.0, 0.3), worth, schedule=[Stage(temperature_usd=0.05)])
    assert found.outcome is Outcome.ROUND_LIMIT
    assert found.message.startswith("Not settled: objective ")
    assert found.message.endswith(
        f"but the policy still moves by {found.steps[-1].change:.1e};"
        " raise the last temperature or cool in smaller steps."
    )
    assert found.error_usd <= found.bound_usd, "the bound asks for a softmax of Q, not for a settled one"


def test_a_schedule_falls_geometrically_and_halves_early() -> None:
    stages = annealing(0.1, 0.001, 3, halvings=1)
    assert [stage.temperature_usd for stage in stages] == pytest.approx([0.1, 0.01, 0.001])
    assert [stage.halve for stage in stages] == [False, True, False]
    assert [stage.temperature_usd for stage in annealing(0.1, 0.1, 1)] == [0.1]


def test_past_draws_are_remembered_up_to_64_states_and_what_is_forgotten_is_measured() -> None:
    warm = {"schedule": [Stage(temperature_usd=0.05)], "information": Information.NOTHING}
    few = [softmax_leader(island(memory=m), menu_of(island(memory=m), 0.0, 0.3), worth, **warm) for m in (0, 1)]
    assert [(found.past_draws, found.common_states, found.messages) for found in few] == [(0, 6, ()), (1, 36, ())]
    assert few[0].closure_error_kw > 4 * few[1].closure_error_kw > 0
    many = softmax_leader(island(memory=1), menu_of(island(memory=1), 0.0, 0.15, 0.3), worth, **warm)
    assert (many.past_draws, many.common_states) == (0, 27), "81 states with the draw before"
    assert many.closure_error_kw == many.equilibrium.closure_error_kw > 1e-4
    assert many.messages == (
        "memory = 1: past draws are remembered while they make no more than 64 common states, here of 0 of 1 days;"
        f" what is forgotten moves the load by {many.closure_error_kw:.2g} kW (RMS), measured at one more day.",
    )


def test_a_leader_who_never_draws_has_nothing_to_remember() -> None:
    found = softmax_leader(island(memory=1), menu_of(island(memory=1), 0.0, 0.3), worth, schedule=COLD)
    assert (found.common_states, found.past_draws, found.messages) == (9, 1, ())


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: annealing(0.01, 0.1, 3),
            "temperatures go from 0.01 to 0.1; give positive ones that do not rise",
        ),
        (
            lambda: annealing(0.1, 0.01, 3, halvings=3),
            "3 stages cannot halve the net 3 times; give 0 <= halvings < stages",
        ),
        (
            lambda: softmax_leader(island(), [], worth, schedule=COLD),
            "the menu is empty; give at least one tariff",
        ),
        (
            lambda: softmax_leader(island(), menu_of(island(), 0.1), worth, schedule=()),
            "the schedule is empty; give at least one stage, e.g. of annealing(0.1, 0.001, 5)",
        ),
        (
            lambda: softmax_leader(island(), menu_of(island(), 0.1), worth, schedule=annealing(1, 0.1, 2, halvings=1)),
            "a menu of tariffs cannot be halved; give a net with tariff_of, or stages without halving",
        ),
        (
            lambda: softmax_leader(island(), epsilon_net(0, 1, 2), worth, schedule=COLD),
            "a net has no tariffs of its own; give tariff_of, e.g. TariffFamily.tariff",
        ),
        (
            lambda: softmax_leader(
                island(), menu_of(island(), 0.1, recovery=Recovery.VOLUMETRIC), worth, schedule=COLD
            ),
            "tariff peak 0.1 recovers cost by an adder, which is not defined for each tariff of a menu;"
            " give recovery fixed or posted",
        ),
        (
            lambda: softmax_leader(island(), menu_of(island(), 0.1), lambda _: -np.inf, schedule=COLD),
            "no tariff of the menu has a defined objective when posted on all days; widen the menu",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused_in_one_line(call: Callable[[], object], text: str) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == text
