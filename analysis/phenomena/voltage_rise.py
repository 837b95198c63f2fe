"""Voltage rises with solar, and breaks its limit before the transformer is full."""

import numpy as np

from meanwatt.agents.numerics.randomness import key_from
from meanwatt.analysis.hosting.adoption import adoption_levels
from meanwatt.analysis.hosting.judged import judge
from meanwatt.analysis.hosting.sweep import HostingPlan, sweep
from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.phenomena.phenomenon import Claim, Finding, Panel, Phenomenon
from meanwatt.analysis.phenomena.town import Towns
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.scenario.economy import build_economy

CASE = Case(scenario="stress", tariff="flat", changes=(("battery_share_scale", 0.0), ("feeder.name", "lv_rural")))
STEP, PLACEMENTS, SEED = 0.1, 20, 1
STRAIGHT = 0.98
"""Correlation with adoption from which the highest voltage counts as linear."""


def find(towns: Towns) -> Finding:
    """Let solar grow on the rural feeder under a flat rate, without batteries."""
    scenario = CASE.load()
    plan = HostingPlan(
        feeder=scenario_feeder(scenario.feeder, peak_reference_kw=build_economy(scenario).peak_reference_kw),
        scenarios={"flat": scenario},
        levels=adoption_levels(STEP),
        placements=PLACEMENTS,
        key=key_from(SEED),
    )
    (judged,) = judge(plan, list(sweep(plan, [], towns.watch.silent())))
    levels = np.array(plan.levels)
    high = plan.limits.high_pu
    highest = judged.table["max_voltage_pu"].mean(axis=1)
    loading = judged.table["transformer_loading"].mean(axis=1)
    rising = np.flatnonzero(highest > highest[0] + 1e-9)  # below, the source is the highest
    straight = None
    if rising.size >= 3 and not np.isnan(highest).any():
        straight = float(np.corrcoef(levels[rising], highest[rising])[0, 1])
    first = {kind: float(np.median(judged.first[kind])) for kind in ("overvoltage", "transformer")}
    later = None
    if np.isfinite(first["overvoltage"]):
        later = 100 * (min(first["transformer"], 1 + STEP) - first["overvoltage"])
    return Finding(
        claims=(
            Claim(
                text="correlation of the highest voltage with adoption, once it rises",
                value=straight,
                unit="1",
                above=STRAIGHT,
            ),
            Claim(
                text="first overload of the transformer after first overvoltage, median placement",
                value=later,
                unit="points of adoption",
                above=0,
            ),
        ),
        panel=Panel(
            x_title="homes with solar [%]",
            y_title="part of the limit, mean over placements",
            x=tuple(100 * level for level in plan.levels),
            lines={
                "voltage rise": tuple(((highest - 1) / (high - 1)).tolist()),
                "transformer loading": tuple(loading.tolist()),
            },
        ),
        reading="The rise over 1 pu passes its limit before the transformer's loading passes its rating.",
    )


PHENOMENON = Phenomenon(
    key="voltage-rise",
    title="Voltage rise",
    expected="The highest voltage rises about linearly with the share of solar homes and breaks its limit first; the"
    " transformer is overloaded in reverse later.",
    sources=("Hosting-capacity studies of rural low-voltage feeders, e.g. on the SimBench grids.",),
    setting="stress on feeder lv_rural, flat rate, no batteries, 20 placements",
    find=find,
)
