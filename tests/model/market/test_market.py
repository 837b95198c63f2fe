"""The finite market day by day: weather, price, bills, history, behaviours, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from meanwatt.agents.behaviour.protocol import DaySeen, FixedBehaviour
from meanwatt.agents.numerics.randomness import Purpose, child, key_from, stream, uniform
from meanwatt.agents.tariff.rates import payment_usd
from meanwatt.agents.tariff.tariff import Recovery, Tariff, rates
from meanwatt.model.market import billing, day_kernel, setup, shared_tables, visits
from meanwatt.model.market.billing import QUANTUM_USD
from meanwatt.model.market.day_tables import TablesKept
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.progress.watch import Progress, Watch
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

GRADUATED = np.array([0.1, 0.4, 0.9])
DISCOUNT = np.array([0.35, 0.0, 0.1])


@pytest.fixture(scope="module")
def textbook() -> Economy:
    return build_economy(load_scenario("textbook"))


@pytest.fixture(scope="module")
def flat(textbook: Economy) -> Equilibrium:
    return solve_equilibrium(textbook, build_tariff(textbook.scenario), certify=False)


@pytest.fixture(scope="module")
def cared_for(textbook: Economy) -> Tariff:
    """Real-time prices, exports at a third of them, with a discount and a fixed charge by income."""
    plain = build_tariff(textbook.scenario, "rtp")
    return replace(
        plain,
        export_usd_per_kwh=plain.export_usd_per_kwh / 3,
        export_pass_through=1 / 3,
        name="cared_for",
        recovery=Recovery.POSTED,
        discount=DISCOUNT,
        fixed_charge_usd_per_day=GRADUATED,
    )


@pytest.fixture(scope="module")
def weathered() -> Economy:
    """Two kinds of days with a rest of the system of their own, remembered for one day: four common states."""
    base = load_scenario("textbook")
    plain = base.day_types["typical"].model_dump()
    days = {"sunny": plain | {"rest_load_kw": -0.1}, "cloudy": plain | {"pv_factor": 0.2, "rest_load_kw": 0.3}}
    table = base.model_dump() | {"day_types": days, "day_type_kernel": [[0.7, 0.3], [0.4, 0.6]], "memory": 1}
    return build_economy(type(base).model_validate(table))


def test_the_same_key_gives_the_same_days_and_another_key_others(flat: Equilibrium) -> None:
    def digests(rng: object, threads: int = 1) -> list[str]:
        market = ProsumerMarket(households=300, policies=flat, rng=rng, threads=threads)  # type: ignore[arg-type]
        for _ in range(3):
            market.step()
        market.close()
        return market.day_digest

    first = digests(4)
    assert digests(4) == digests((4,)) == digests(4, threads=2) == first
    assert len(set(first)) == 3
    assert not set(first) & set(digests((4, 1)))
    generator = np.random.default_rng(4)
    assert digests(generator) != digests(generator)


def test_a_second_thread_changes_no_meter_no_bill_and_no_price(flat: Equilibrium) -> None:
    """Above the size from which the second thread is really used."""
    markets = [ProsumerMarket(households=30_000, policies=flat, threads=threads, rng=1) for threads in (1, 2)]
    for market in markets:
        market.step()
        market.step()
    one, two = markets
    assert one.day_digest == two.day_digest
    assert (one.population.bill_usd == two.population.bill_usd).all()
    for name in ("wholesale_usd_per_kwh", "bill_usd", "imported_kwh", "exported_kwh", "stored_kwh", "use_kw"):
        assert (one.history.stacked(name) == two.history.stacked(name)).all()
    for market in markets:
        market.close()


def test_every_sum_is_the_same_however_the_visits_are_cut(flat: Equilibrium, monkeypatch: pytest.MonkeyPatch) -> None:
    """Meters, prices, bills and accounts of a whole market, not only of the kernel, under odd cuts and threads."""
    for name in (day_kernel, billing):
        monkeypatch.setattr(name, "ONE_THREAD_BELOW", 0)
    runs = []
    for threads, chunk, block in [(1, 16_384, 512), (2, 100, 30), (3, 7, 7), (2, 1000, 1)]:
        monkeypatch.setattr(visits, "CHUNK", chunk)
        monkeypatch.setattr(visits, "BLOCK", block)
        market = ProsumerMarket(households=700, policies=flat, threads=threads, rng=6, power_flow=False)
        market.step()
        market.step()
        names = ("net_load_kw", "use_kw", "stored_kwh", "wholesale_usd_per_kwh", "bill_usd")
        stacked = [
            market.history.stacked(name) for name in (*names, "imported_kwh", "exported_kwh", "type_net_load_kw")
        ]
        runs.append((market.day_digest, [*stacked, market.population.bill_usd], market.utility.account))
        market.close()
    digests, arrays, account = runs[0]
    for others in runs[1:]:
        assert others[0] == digests
        assert all((one == two).all() for one, two in zip(arrays, others[1], strict=True))
        assert others[2] == account


def test_the_digest_is_that_of_the_meters_as_little_endian_float32(flat: Equilibrium) -> None:
    import hashlib
    import struct

    market = ProsumerMarket(households=50, policies=flat)
    market.step()
    raw = b"".join(struct.pack("<f", float(x)) for row in market.population.energy_kwh for x in row)
    assert market.day_digest == [hashlib.sha256(raw).hexdigest()]


def test_more_households_leave_the_meters_of_the_others_alone(flat: Equilibrium) -> None:
    """Under given policies; by type and rank, for ids move when types before them grow."""
    small, large = (ProsumerMarket(households=n, policies=flat, rng=5) for n in (200, 900))
    for _ in range(2):
        small.step()
        large.step()
        for kind in range(small.population.types):
            few, many = small.population.of_type(kind), large.population.of_type(kind)
            count = few.stop - few.start
            assert (small.population.energy_kwh[few] == large.population.energy_kwh[many][:count]).all()


def test_common_states_walk_by_the_kernel_on_their_own_stream(weathered: Economy) -> None:
    market = ProsumerMarket(weathered, households=20, tariff="filed", behaviour="equilibrium", rng=9, power_flow=False)
    for _ in range(40):
        market.step()
    states = [record.common_state for record in market.history]
    draws = stream(key_from(9), Purpose.WEATHER)
    law = weathered.common.probability
    for day, state in enumerate(states):
        assert state == int(np.searchsorted(np.cumsum(law), uniform(child(draws, day)), side="right"))
        law = weathered.common.kernel[state]
    assert len(set(states)) == 4
    today = weathered.common.today[states]
    assert [record.day_type for record in market.history] == [("sunny", "cloudy")[w] for w in today]


def test_forgetting_prepared_tables_changes_nothing(weathered: Economy, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    for kept in (16, 1):
        monkeypatch.setattr(shared_tables, "TABLES_KEPT", kept)
        market = ProsumerMarket(weathered, households=30, tariff="filed", rng=0, power_flow=False)
        for _ in range(12):
            market.step()
        runs.append(market.day_digest)
        assert len(market._tables) <= kept
    assert runs[0] == runs[1]


def test_markets_of_one_equilibrium_share_their_tables_and_others_do_not(weathered: Economy) -> None:
    """Shared or not, the meters are the same; a market whose tariff or behaviour is another has tables of its own."""
    found = solve_equilibrium(weathered, build_tariff(weathered.scenario, "filed"), certify=False)
    size = {"households": 30, "policies": found, "power_flow": False}
    first, second = ProsumerMarket(weathered, rng=0, **size), ProsumerMarket(weathered, rng=1, **size)
    others = [
        ProsumerMarket(weathered, rng=0, behaviour=way, **size) for way in ("belief", "equilibrium=0.5,belief=0.5")
    ]
    alone = ProsumerMarket(weathered, rng=1, behaviour=FixedBehaviour(found.policies), **size)
    alone._tables = TablesKept(
        levels=[home.levels for home in weathered.types],
        shock_kernel=weathered.shock_kernel,
        slot_hours=weathered.slot_hours,
        most=16,
    )
    for market in (first, second, *others, alone):
        for _ in range(6):
            market.step()
    assert first._tables is second._tables
    assert len({id(market._tables) for market in (first, *others, alone)}) == 4
    assert second.day_digest == alone.day_digest
    assert all(second.tables_of(c) is first.tables_of(c) for c in range(len(weathered.common.probability)))


def test_prices_follow_from_the_realised_mean_load_and_rates_from_them(weathered: Economy) -> None:
    """Rates differ by day type, as critical-peak prices do."""
    plain = build_tariff(weathered.scenario, "rtp")
    peaked = replace(plain, recovery=Recovery.POSTED, energy_usd_per_kwh=plain.energy_usd_per_kwh * [[1.0], [3.0]])
    market = ProsumerMarket(weathered, households=64, tariff=peaked, behaviour="belief", rng=0, power_flow=False)
    kinds = set()
    for _ in range(6):
        market.step()
        record = market.history[-1]
        metered = market.population.energy_kwh.astype(float).mean(axis=0) / weathered.slot_hours
        assert record.net_load_kw == pytest.approx(metered, rel=1e-9)
        rest = weathered.rest_load_kw[record.common_state]
        assert (record.wholesale_usd_per_kwh == weathered.supply.price(record.net_load_kw + rest)).all()
        today = weathered.common.today[record.common_state]
        posted = rates(peaked, np.array([today]), record.wholesale_usd_per_kwh[None], 0.0)
        assert (record.import_usd_per_kwh == posted.import_usd_per_kwh[0]).all()
        assert (record.export_usd_per_kwh == posted.export_usd_per_kwh[0]).all()
        kinds.add(record.day_type)
    assert kinds == {"sunny", "cloudy"}


def test_every_bill_is_the_tariffs_payment_at_the_realised_rates(textbook: Economy, cared_for: Tariff) -> None:
    market = ProsumerMarket(textbook, households=120, tariff=cared_for, behaviour="belief", rng=2)
    bills = np.zeros(120)
    for _ in range(3):
        market.step()
        record = market.history[-1]
        posted = market.utility.rates(0, record.wholesale_usd_per_kwh)
        for household in range(120):
            kind = market.household_types[market.population.type_of(household)]
            own = cared_for.for_group(posted, kind.group)
            load = market.population.energy_kwh[household].astype(float) / textbook.slot_hours
            hourly = payment_usd(load, own.import_usd_per_kwh[0], own.export_usd_per_kwh[0], textbook.slot_hours)
            bills[household] += hourly.sum() + GRADUATED[kind.group]
        assert market.population.bill_usd == pytest.approx(bills, rel=1e-12)


def test_revenue_is_the_sum_of_bills_and_cost_is_energy_at_wholesale_plus_network(
    textbook: Economy, cared_for: Tariff
) -> None:
    market = ProsumerMarket(textbook, households=500, tariff=cared_for, behaviour="belief", rng=2)
    for _ in range(3):
        market.step()
    history = market.history
    account = market.utility.account
    rounded_usd = 3 * 500 * QUANTUM_USD / 2
    assert account.revenue_usd == pytest.approx(market.population.bill_usd.sum(), rel=1e-13, abs=rounded_usd)
    assert account.revenue_usd == pytest.approx(history.type_days["bill_usd"].sum(), rel=1e-12)
    bought = (history.stacked("wholesale_usd_per_kwh") * history.stacked("net_load_kw")).sum() * 500
    assert account.energy_cost_usd == pytest.approx(bought * textbook.slot_hours, rel=1e-12)
    assert account.network_cost_usd == pytest.approx(3 * 500 * textbook.fixed_cost_usd_per_day, rel=1e-12)
    surplus = account.revenue_usd - account.energy_cost_usd - account.network_cost_usd
    assert account.surplus_usd == pytest.approx(surplus, rel=1e-12)


def test_equilibrium_adder_and_charges_are_held_in_settlement(textbook: Economy, flat: Equilibrium) -> None:
    market = ProsumerMarket(textbook, households=10, policies=flat)
    assert market.utility.adder_usd_per_kwh == flat.adder_usd_per_kwh > 0
    rtp = ProsumerMarket(textbook, households=10, tariff="rtp", behaviour="equilibrium")
    assert rtp.equilibrium is not None
    assert (rtp.utility.fixed_charge_usd_per_day == rtp.equilibrium.fixed_charge_usd_per_day).all()
    assert rtp.utility.fixed_charge_usd_per_day.min() > 0


def test_the_equilibrium_is_the_default_and_a_posted_tariff_needs_none_for_those_who_learn(textbook: Economy) -> None:
    told = ProsumerMarket(textbook, households=10, tariff="filed")
    assert told.equilibrium is not None
    assert told.behaviour.name == "equilibrium"
    learning = ProsumerMarket(textbook, households=10, tariff="filed", behaviour="belief")
    assert learning.equilibrium is None
    assert learning.behaviour.name == "belief"
    assert learning.utility.adder_usd_per_kwh == 0


def test_progress_of_the_solve_at_construction_is_told(textbook: Economy) -> None:
    reports: list[Progress] = []
    ProsumerMarket(textbook, households=10, tariff="filed", progress=reports.append)
    assert reports[-1].evaluations > 0
    reports.clear()
    ProsumerMarket(textbook, households=10, tariff="filed", behaviour="belief", progress=reports.append)
    assert reports == []


def test_a_market_that_takes_long_to_make_says_so_unless_somebody_listens(
    textbook: Economy, flat: Equilibrium, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ""

    def slow(*_: object, watch: Watch, **__: object) -> Equilibrium:
        nonlocal said
        assert watch.progress is not None
        watch.progress(Progress(stage="followers", evaluations=3, residual_usd_per_kwh=0.002))
        while "followers" not in said:
            said += capsys.readouterr().err
        return flat

    monkeypatch.setattr("meanwatt.model.progress.heartbeat.EVERY_SECONDS", 0.05)
    monkeypatch.setattr(setup, "solve_equilibrium", slow)
    ProsumerMarket(textbook, households=10)
    assert "s: followers, residual 2e-03 USD/kWh\n" in said


@pytest.mark.parametrize("outcome", [Outcome.ROUND_LIMIT, Outcome.NO_ADEQUATE_TARIFF])
def test_without_an_equilibrium_to_follow_one_line_names_what_needs_none(
    outcome: Outcome, textbook: Economy, flat: Equilibrium, monkeypatch: pytest.MonkeyPatch
) -> None:
    missed = replace(flat, outcome=outcome, message="Not found. Nowhere.")
    monkeypatch.setattr(setup, "solve_equilibrium", lambda *_, **__: missed)
    with pytest.raises(
        ValueError, match=r"^scenario textbook, tariff flat: Not found\. Nowhere; give behaviour='belief'"
    ):
        ProsumerMarket(textbook, households=10)
    for own_word in ({"behaviour": "belief"}, {"policies": missed}):
        market = ProsumerMarket(textbook, households=100, **own_word)  # type: ignore[arg-type]
        assert market.equilibrium is missed
        assert "Not found. Nowhere: adder and fixed charges are held at what was reached." in market.messages


def test_from_the_mean_fields_law_the_market_stays_on_the_mean_field(textbook: Economy, flat: Equilibrium) -> None:
    """Mean net load of each type, slot by slot for three days, within 4.5 standard errors (over 500 comparisons)."""
    market = ProsumerMarket(textbook, households=20_000, policies=flat, rng=11, power_flow=False)
    for _ in range(3):
        market.step()
        for kind in range(market.population.types):
            load = market.population.energy_kwh[market.population.of_type(kind)].astype(float) / textbook.slot_hours
            error = load.std(axis=0, ddof=1) / np.sqrt(len(load)) + 1e-7
            off = np.abs(load.mean(axis=0) - flat.type_net_load_kw[kind, 0]) / error
            assert off.max() < 4.5


def test_the_law_of_stored_energy_stays_that_of_the_mean_field(textbook: Economy, flat: Equilibrium) -> None:
    """Dvoretzky, Kiefer, Wolfowitz: P(sup |F_n − F| > ε) ≤ 2 exp(−2nε²), here 10⁻⁶."""
    market = ProsumerMarket(textbook, households=20_000, policies=flat, rng=12, power_flow=False)
    for _ in range(2):
        market.step()
    for kind, household in enumerate(textbook.types):
        if household.battery:
            ours = np.cumsum(market.population.level_law(kind, household.levels))
            theirs = np.cumsum(flat.laws[kind][0, 0].sum(axis=1))
            bound = np.sqrt(np.log(2e6) / (2 * market.population.count[kind]))
            assert np.abs(ours - theirs).max() < bound < 0.1


def test_a_belief_moves_by_its_step_for_the_realised_state_only(weathered: Economy) -> None:
    market = ProsumerMarket(weathered, households=40, tariff="rtp", behaviour="belief", rng=3, power_flow=False)
    believer = market.behaviour
    belief = first_guess(weathered).copy()
    assert (believer.belief_usd_per_kwh == belief).all()  # type: ignore[attr-defined]
    for day in range(5):
        market.step()
        record = market.history[-1]
        c = record.common_state
        belief[c] += 0.5 / np.sqrt(day + 1) * (record.wholesale_usd_per_kwh - belief[c])
        assert believer.belief_usd_per_kwh == pytest.approx(belief, rel=1e-14)  # type: ignore[attr-defined]


def test_beliefs_come_near_the_mean_field_price(textbook: Economy) -> None:
    """After 40 days of 1,000 learners, belief within 1 % of the mean price level of the continuum's; began 6 × off."""
    market = ProsumerMarket(textbook, households=1_000, tariff="rtp", behaviour="belief", rng=3, power_flow=False)
    for _ in range(40):
        market.step()
    assert market.equilibrium is not None
    exact = market.equilibrium.wholesale_usd_per_kwh
    error = np.abs(market.behaviour.belief_usd_per_kwh - exact).max()  # type: ignore[attr-defined]
    assert error < 0.01 * exact.mean()
    assert np.abs(first_guess(textbook) - exact).max() > 6 * error


def test_households_that_believe_the_equilibrium_price_act_as_the_equilibrium(
    textbook: Economy, flat: Equilibrium
) -> None:
    market = ProsumerMarket(textbook, households=200, policies=flat, behaviour="belief", rng=1)
    believer = market.behaviour
    believer.belief_usd_per_kwh = np.array(flat.wholesale_usd_per_kwh)  # type: ignore[attr-defined]
    believer.learn(
        DaySeen(
            day=0,
            common_state=0,
            wholesale_usd_per_kwh=flat.wholesale_usd_per_kwh[0],
            net_load_kw=flat.net_load_kw[0],
        )
    )
    for ours, theirs in zip(believer.policies, flat.policies, strict=True):
        assert np.abs(ours.probability - theirs.probability).max() < 1e-6


def test_an_own_behaviour_learns_from_every_day_and_is_asked_for_policies(flat: Equilibrium) -> None:
    class Watchful(FixedBehaviour):
        def __init__(self) -> None:
            super().__init__(flat.policies, name="watchful")
            self.seen: list[DaySeen] = []

        def learn(self, seen: DaySeen) -> None:
            self.seen.append(seen)

    watchful = Watchful()
    market = ProsumerMarket(households=30, behaviour=watchful, policies=flat)
    market.step()
    market.step()
    assert [seen.day for seen in watchful.seen] == [0, 1]
    for seen, record in zip(watchful.seen, market.history, strict=True):
        assert seen.wholesale_usd_per_kwh is record.wholesale_usd_per_kwh


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"households": 0}, r"households is 0; give a whole number from 1 to 1000000000, e\.g\. 1000"),
        ({"households": 2.5}, r"households is 2\.5; give a whole number"),
        ({"households": True}, r"households is True; give a whole number"),
        ({"threads": 0}, r"threads is 0; give a whole number from 1 to 1024, e\.g\. 2"),
        ({"threads": "two"}, r"threads is 'two'; give a whole number"),
        ({"behaviour": "beleif"}, r"unknown behaviour 'beleif'; did you mean 'belief'\?"),
        (
            {"behaviour": 3},
            r"behaviour is 3; give one of equilibrium, belief, qlearning, passive, self_consumption, price_threshold",
        ),
        ({"rng": -1}, r"rng is -1; give a whole number >= 0"),
        ({"tariff": "flta"}, r"unknown tariff 'flta'; did you mean 'flat'\?"),
        ({"policies": ()}, r"policies is a tuple; give an Equilibrium of solve_equilibrium"),
        ({"behaviour": FixedBehaviour([])}, r"behaviour equilibrium has 0 policies; give 7"),
    ],
)
def test_arguments_that_make_no_market_are_refused_in_one_line(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        ProsumerMarket(**arguments)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_an_unknown_scenario_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"textbok.*did you mean 'textbook'"):
        ProsumerMarket("textbok")


def test_policies_of_another_scenario_or_tariff_are_refused(textbook: Economy, flat: Equilibrium) -> None:
    other = build_economy(load_scenario("textbook", overrides=["elasticity=0.2"]))
    with pytest.raises(ValueError, match=r"policies were solved for another scenario \(textbook\).*policies\.economy"):
        ProsumerMarket(other, policies=flat)
    with pytest.raises(ValueError, match="tariff is rtp but the policies were solved for flat; leave tariff out"):
        ProsumerMarket(textbook, policies=flat, tariff="rtp")
    assert ProsumerMarket("textbook", policies=flat, tariff="flat", households=3).economy is textbook


def test_a_tariff_made_for_other_slots_is_refused(textbook: Economy, cared_for: Tariff) -> None:
    halves = build_economy(load_scenario("oahu"))
    with pytest.raises(ValueError, match=r"tariff cared_for has 1 day types, 24 slots and 3 income groups; scenario"):
        ProsumerMarket(halves, tariff=cared_for)


def test_a_household_outside_the_market_is_refused(flat: Equilibrium) -> None:
    market = ProsumerMarket(households=5, policies=flat)
    for household in (-1, 5):
        with pytest.raises(ValueError, match=f"household is {household}; give an id from 0 to 4"):
            market.prosumer(household)
