"""All methods of solving, read from their list: those that apply find the same prices, or say how far they came."""

import pytest
from scenarios import small_economy, small_tariff

from meanwatt.analysis.cli import main
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.solvers.methods import METHODS

ACCURACY_USD_PER_KWH = 1e-8
GAMES = {
    "warm": {"temperature_usd": 0.05},
    "cold": {"temperature_usd": 0.0},
    "herding": {"temperature_usd": 0.005, "battery_share": 1.0},
}
"""In the last one the price map is no contraction."""
REFUSED = {
    "newton": {"cold": "solver is 'newton', which needs temperature_usd above 0; give 'auto'"},
    "frank_wolfe": {
        "warm": "solver is 'frank_wolfe', which needs temperature_usd = 0, here 0.05; give 'auto'",
        "herding": "solver is 'frank_wolfe', which needs temperature_usd = 0, here 0.005; give 'auto'",
    },
    "mixed_plans": {
        "warm": "solver is 'mixed_plans', which needs temperature_usd = 0, here 0.05; give 'auto'",
        "herding": "solver is 'mixed_plans', which needs temperature_usd = 0, here 0.005; give 'auto'",
    },
}


def found_by(method: str, game: str) -> Equilibrium:
    """The game solved by one method."""
    economy = small_economy(**GAMES[game])
    tariff = small_tariff(economy)
    return solve_equilibrium(economy, tariff, solver=method, certify=False, tolerance_usd_per_kwh=ACCURACY_USD_PER_KWH)


@pytest.mark.parametrize("game", GAMES)
def test_methods_that_apply_find_the_same_prices_or_say_how_far_they_came(game: str) -> None:
    """Under Theorem U, with a strictly increasing curve, the price is unique: 1e-8 is the residual, times its gain."""
    reference = found_by("auto", game)
    assert reference.converged
    reached = set()
    for method in METHODS:
        refusal = REFUSED.get(method.name, {}).get(game)
        if refusal:
            with pytest.raises(ValueError) as refused:
                found_by(method.name, game)
            assert str(refused.value) == refusal
            continue
        found = found_by(method.name, game)
        if found.converged:
            reached.add(method.name)
            assert found.wholesale_usd_per_kwh == pytest.approx(reference.wholesale_usd_per_kwh, abs=1e-6)
        else:
            assert found.outcome is Outcome.ROUND_LIMIT
            assert found.residual_usd_per_kwh > ACCURACY_USD_PER_KWH
    assert (
        reached
        >= {
            "warm": {"auto", "newton", "anderson", "picard"},
            "cold": {"auto", "frank_wolfe", "mixed_plans"},
            "herding": {"auto", "newton", "anderson"},
        }[game]
    )
    assert game != "herding" or "picard" not in reached


def test_a_method_that_needs_a_potential_says_which_condition_fails() -> None:
    economy = small_economy(temperature_usd=0.0)
    tariff = small_tariff(economy, export_pass_through=0.5)
    with pytest.raises(ValueError, match=r"^solver is 'frank_wolfe', which needs a potential: export and import pass"):
        solve_equilibrium(economy, tariff, solver="frank_wolfe", certify=False)


def test_a_method_that_does_not_exist_is_named_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"^unknown solver 'newtom'; did you mean 'newton'\?"):
        solve_equilibrium(small_economy(), small_tariff(small_economy()), solver="newtom")


def test_the_command_refuses_a_method_that_does_not_apply_or_does_not_exist(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["solve", "textbook", "--tariff", "rtp", "--solver", "frank_wolfe", "--json"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == ("meanwatt: solver is 'frank_wolfe', which needs temperature_usd = 0, here 0.02; give 'auto'\n")
    assert main(["solve", "textbook", "--solver", "newtons"]) == 2
    assert capsys.readouterr().err == "meanwatt: unknown solver 'newtons'; did you mean 'newton'?\n"
    assert main(["solve", "textbook", "--solver", "qqq"]) == 2
    everything = ", ".join(method.name for method in METHODS)
    assert capsys.readouterr().err == f"meanwatt: unknown solver 'qqq'; give one of {everything}\n"
