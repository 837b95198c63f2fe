"""The face: four verbs and their results, in a script and in a notebook."""

import base64
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from repository import ROOT
from scenarios import preset_economy, preset_tariff, solved

import meanwatt
from meanwatt.analysis.notebook.simulated import Comparison, compare
from meanwatt.model.mean_field.equilibrium import Outcome

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)[0]


@pytest.fixture(scope="module")
def solution() -> "meanwatt.Solution":
    return meanwatt.solve("textbook", tariff="tou")


@pytest.fixture(scope="module")
def market(solution: "meanwatt.Solution") -> "meanwatt.SimulatedMarket":
    return meanwatt.simulate(solution, households=400, days=20, seed=3, power_flow=False)


def test_the_face_has_few_names_and_every_one_of_them_is_there() -> None:
    assert len(meanwatt.__all__) <= 15
    assert set(meanwatt.__all__) == set(meanwatt._MODULES)
    for name in meanwatt.__all__:
        assert getattr(meanwatt, name) is not None
    assert set(meanwatt.__all__) <= set(dir(meanwatt))
    with pytest.raises(AttributeError, match="module 'meanwatt' has no attribute 'solv'"):
        _ = meanwatt.solv


def test_importing_the_face_imports_nothing_else() -> None:
    code = "import sys, meanwatt; print(sorted({'numpy', 'pandas', 'numba', 'mesa', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_name_a_file_a_scenario_and_an_economy_have_one_solution(
    solution: "meanwatt.Solution", tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extends = "textbook"\nname = "mine"\n')
    economy, tariff = preset_economy("textbook"), preset_tariff("textbook", "tou")
    for scenario, terms in (
        (file, "tou"),
        (str(file), tariff),
        (meanwatt.load_scenario("textbook", tariff="tou"), "tou"),
        (economy, tariff),
        (economy, "tou"),
    ):
        again = meanwatt.solve(scenario, tariff=terms, certify="none")
        assert np.array_equal(again.equilibrium.wholesale_usd_per_kwh, solution.equilibrium.wholesale_usd_per_kwh)


def test_overrides_act_as_set_does_on_the_command_line() -> None:
    found = meanwatt.solve("textbook", tariff="tou", overrides={"tariff.pass_through": 0.5}, certify="none")
    assert found.equilibrium.tariff.pass_through == 0.5
    assert found.converged


def test_a_solution_is_a_table_a_figure_and_a_short_line(solution: "meanwatt.Solution") -> None:
    frame = solution.to_frame()
    assert len(frame) == solution.equilibrium.net_load_kw.size
    assert np.array_equal(frame["net_load_kw"], solution.equilibrium.net_load_kw.ravel())
    assert solution.groups["share"].sum() == pytest.approx(1.0)
    assert repr(solution).startswith("Solution('textbook', tariff 'tou', converged, welfare ")
    assert len(repr(solution)) < 120
    assert solution.metrics["efficiency_gap_usd_per_household_day"] is None  # not asked for
    assert shown_in_full(solution._repr_html_())


def shown_in_full(text: str) -> bool:
    """Whether a result is a table and one picture that needs nothing from elsewhere."""
    picture = re.search(r"src='data:image/svg\+xml;base64,([^']+)'", text)
    assert picture is not None
    svg = base64.b64decode(picture[1]).decode()
    assert "<svg" in svg
    assert not re.search(r"(href|src)=.?https?:", svg)
    return text.startswith("<table>") and text.count("<img") == 1 and "http" not in text


def test_a_market_that_plays_the_equilibrium_is_as_far_from_it_as_its_sample_makes_it(
    market: "meanwatt.SimulatedMarket",
) -> None:
    """The mean of the squared distance is the variance of the sample's mean; 20 days of 24 slots tell it to a third."""
    comparison = market.compare()
    assert comparison.net_load_kw.shape == comparison.spread_kw.shape == (20, 24)
    assert comparison.net_load_error_kw == pytest.approx(comparison.sampling_error_kw, rel=1 / 3)
    frame = comparison.to_frame()
    assert np.array_equal(frame["net_load_kw"], market.to_frame()["net_load_kw"])


def test_a_market_is_compared_with_another_tariff_s_solution_too(market: "meanwatt.SimulatedMarket") -> None:
    other = market.compare(solved("textbook", "flat"))
    assert other.net_load_error_kw > 2 * market.compare().net_load_error_kw


def test_results_of_a_market_show_themselves(market: "meanwatt.SimulatedMarket") -> None:
    comparison = market.compare()
    assert repr(market) == "SimulatedMarket('textbook', tariff 'tou', 400 households, 20 days)"
    assert repr(comparison).startswith("Comparison(400 households, 20 days: ")
    for result in (market, comparison):
        assert shown_in_full(result._repr_html_())


def test_a_scenario_is_solved_before_it_is_simulated(market: "meanwatt.SimulatedMarket") -> None:
    again = meanwatt.simulate("textbook", tariff="tou", households=400, days=2, seed=3, power_flow=False)
    assert again.simulation.day_digest == market.simulation.day_digest[:2]


def test_a_validation_is_a_table_of_criteria_with_a_verdict() -> None:
    found = meanwatt.validate("textbook", households=(30, 100), replications=3, days=4, checks=("aggregate",))
    frame = found.to_frame()
    assert set(frame["check"]) == {"aggregate"}
    assert found.verdict in repr(found)
    assert shown_in_full(found._repr_html_())


def test_a_design_is_a_tariff_with_its_trials(tmp_path: Path) -> None:
    plain = {"battery_share_scale": 0.0}
    found = meanwatt.design("textbook", equity=5.0, overrides=plain)
    trials = found.to_frame()
    assert found.design.commitment is not None
    assert trials["objective"].max() >= found.design.commitment.objective - 1e-12
    file = tmp_path / "found.toml"
    file.write_text(found.to_toml())
    again = meanwatt.solve("textbook", tariff=file, overrides=plain, certify="none")
    mine = found.design.commitment.equilibrium
    assert again.equilibrium.wholesale_usd_per_kwh == pytest.approx(mine.wholesale_usd_per_kwh, abs=1e-6)
    assert repr(found).startswith("Designed('textbook', commission: objective ")
    assert shown_in_full(found._repr_html_())


def test_what_is_not_allowed_is_said_in_one_line(
    solution: "meanwatt.Solution", market: "meanwatt.SimulatedMarket"
) -> None:
    economy = preset_economy("textbook")
    stopped = meanwatt.solve("textbook", tariff="tou", cancelled=lambda: True)
    for call, sentence in (
        (lambda: meanwatt.solve("texbook"), "texbook"),
        (
            lambda: meanwatt.solve(None),
            "the scenario is of type NoneType; give a preset's name, the path of a TOML file",
        ),
        (lambda: meanwatt.design(solution), "the scenario is of type Solution; give a preset's name"),
        (lambda: meanwatt.solve("textbook", tariff=3), "the tariff is of type int; give one of the scenario's names"),
        (lambda: meanwatt.solve("textbook", overrides=[("memory", 1)]), "overrides are [('memory', 1)]; give {"),
        (
            lambda: meanwatt.solve(
                "textbook", tariff=solution.equilibrium.tariff, overrides={"tariff.pass_through": 0.5}
            ),
            "a tariff object cannot be changed by overrides; give the tariff's name or file, or change it",
        ),
        (
            lambda: meanwatt.solve("textbook", tariff=preset_tariff("oahu", "tou")),
            "tariff tou has rates for (day types, slots) (3, 24); scenario textbook has (1, 24)",
        ),
        (lambda: meanwatt.simulate(solution, days=0), "days is 0; give a whole number from 1 to"),
        (lambda: meanwatt.simulate(solution, days=2.0), "days is 2.0; give a whole number from 1 to"),
        (lambda: meanwatt.simulate(solution, households=True), "households is True; give a whole number from 1 to"),
        (lambda: meanwatt.validate(solution, replications=0), "replications is 0; give a whole number from 1 to"),
        (lambda: meanwatt.validate(solution, households=[]), "households is []; give a list of whole numbers"),
        (lambda: meanwatt.validate(solution, households=[20, 20]), "households is [20, 20]; give every number once"),
        (lambda: meanwatt.validate(solution, checks=["grit"]), "an entry of checks is 'grit'; give one of aggregate"),
        (lambda: meanwatt.validate(solution, checks="grid"), "checks is 'grid'; give a list of some of aggregate"),
        (lambda: meanwatt.design("textbook", equity=-1), "equity is -1; give a finite number, 0 or more"),
        (
            lambda: meanwatt.design("textbook", leader="utility", equity=1.0),
            "equity and stability go with leader='commission'; leave them out for the utility",
        ),
        (lambda: market.compare("flat"), "a market is compared with a solution or an equilibrium, not with str"),
        (lambda: market.compare(stopped), "no equilibrium to compare with: Cancelled"),
        (lambda: meanwatt.solve("textbook", certify="all"), "certify is 'all'; give one of none, quick, full"),
        (
            lambda: meanwatt.solve(economy, overrides={"memory": 1}),
            "an economy cannot be changed by overrides; give its scenario, as economy.scenario",
        ),
        (
            lambda: meanwatt.simulate(solution, tariff="flat"),
            "a solution has its tariff and its scenario; give a scenario to change them",
        ),
        (
            lambda: meanwatt.validate(solution, overrides={"memory": 1}),
            "a solution has its tariff and its scenario; give a scenario to change them",
        ),
        (lambda: meanwatt.design("textbook", leader="me"), "leader is 'me'; give one of commission, utility"),
        (
            lambda: meanwatt.design("textbook", price_cap_usd_per_kwh=0.3),
            "price_cap_usd_per_kwh goes with leader='utility'; leave it out for the commission",
        ),
        (
            lambda: compare(market, solved("oahu", "tou")),
            "scenario oahu has other slots or day types than textbook, which was simulated; compare with a solution"
            " of the same days",
        ),
    ):
        with pytest.raises(ValueError, match=re.escape(sentence)) as told:
            call()
        assert "\n" not in str(told.value)


def test_a_solve_that_is_cancelled_says_so_and_is_not_simulated() -> None:
    stopped = meanwatt.solve("textbook", tariff="tou", cancelled=lambda: True)
    assert stopped.summary["outcome"] is Outcome.CANCELLED
    assert not stopped.converged
    with pytest.raises(ValueError, match="no equilibrium to go on from: Cancelled"):
        meanwatt.simulate(stopped)


def test_a_peak_over_a_mean_that_is_not_positive_is_undefined_and_shown_so() -> None:
    found = meanwatt.solve("textbook", overrides={"pv.curtailable": False, "pv_scale": 3.0}, certify="none")
    assert found.metrics["peak_to_average"] is None
    assert ("peak to average", "undefined") in found.rows()
    assert shown_in_full(found._repr_html_())


def test_a_figure_shows_itself_where_pyplot_was_never_imported(solution: "meanwatt.Solution") -> None:
    picture = solution.plot()._repr_html_()  # type: ignore[attr-defined]
    assert picture.startswith("<img alt='' src='data:image/svg+xml;base64,")


def test_no_day_is_nothing_to_compare(solution: "meanwatt.Solution") -> None:
    empty = meanwatt.simulate(solution, households=10, days=5, power_flow=False, cancelled=lambda: True)
    with pytest.raises(ValueError, match="no day was simulated; give days a number above 0"):
        empty.compare()


def test_distances_are_root_mean_squares() -> None:
    half = np.full((2, 3), 0.5)
    found = Comparison(
        net_load_kw=half,
        wholesale_usd_per_kwh=half,
        expected_net_load_kw=np.array([[0.2, 0.5, 0.5], [0.5, 0.5, 0.1]]),
        expected_wholesale_usd_per_kwh=half,
        spread_kw=np.array([[0.3, 0.0, 0.0], [0.0, 0.0, 0.4]]),
        households=10,
    )
    assert found.net_load_error_kw == found.sampling_error_kw == pytest.approx((0.25 / 6) ** 0.5)


def test_the_example_of_the_readme_shows_itself_in_a_notebook(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    from nbclient import NotebookClient

    code = EXAMPLE.replace("households=1000, days=30", "households=100, days=3").replace('"oahu"', '"textbook"')
    cells = [nbformat.v4.new_code_cell(text) for text in (code, "equilibrium", "market", "comparison")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=180, resources={"metadata": {"path": str(tmp_path)}}).execute()
    drawn = [output.data.get("text/html", "") for output in notebook.cells[0].outputs if "data" in output]
    assert any(text.startswith("<img") for text in drawn), "the last line of the example draws"
    for cell in notebook.cells[1:]:
        data = cell.outputs[0].data
        assert shown_in_full(data["text/html"])
        assert len(data["text/plain"]) < 120


def test_a_learned_design_tells_its_books_and_takes_the_models_where_asked() -> None:
    ask = {"method": "softmax", "evaluations": 4, "progress": False}
    account, model = (meanwatt.design("textbook", books=books, **ask) for books in (None, "model"))
    assert account.design.commitment.objective == pytest.approx(model.design.commitment.objective, abs=1e-9)
    said, silent = dict(account.rows()), dict(model.rows())
    assert said["largest balance of its books"].endswith(" USD per household")
    assert "largest balance of its books" not in silent
    with pytest.raises(ValueError, match=r"^books go with a method that learns; give method='softmax', or leave them"):
        meanwatt.design("textbook", books="model")
    with pytest.raises(
        ValueError,
        match=r"^method is 'best'; give one of commitment, policy_iteration, softmax, cma, optuna, response_matrix$",
    ):
        meanwatt.design("textbook", method="best")


def test_a_simulated_leader_tells_what_it_posted_and_its_books() -> None:
    size = {"households": 30, "days": 4, "round_days": 2, "power_flow": False, "progress": False}
    account, model = (
        meanwatt.simulate("textbook", leader="commission", books=books, **size) for books in ("account", "model")
    )
    assert account.leader["books"]["largest_balance_usd_per_household"] > 0
    assert model.leader["books"]["kind"] == "model"
    assert len(account.leader["posted_tariff"]) == 4
    with pytest.raises(ValueError, match=r"^unknown books 'both'"):
        meanwatt.simulate("textbook", leader="commission", books="both", **size)
