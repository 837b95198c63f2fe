"""The highlighted comparison: one factor of the tariff in force, what exported solar earns, at equal cost recovery.

Both sides recover the whole network cost as a fixed charge, so that bills move for no other reason than the factor,
and both are found within a second: an adder that balances the books need not be searched for.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.analysis.dashboard.market.knobs import knobs
from meanwatt.analysis.dashboard.shared.settings import Settings, landing_tariff
from meanwatt.model.scenario.economy import build_tariff

FACTOR = "tariff.export.rule"
RECOVERY = "tariff.recovery"
WORDS = {
    ExportRule.NET_METERING: "What if solar earned the full price?",
    ExportRule.NONE: "What if solar earned nothing?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two settings that differ in one key, and the words of the button that compares them.

    Attributes
    ----------
    reference, variant
        Without and with the change of the factor; both with recovery ``fixed``.
    label, text
        Question, and what to look at.
    back
        What differed, where nothing but the factor did.
    """

    reference: Settings
    variant: Settings
    label: str
    text: str = "Same network cost recovered. Watch the bills."
    back: str = "Only what solar earns differed."


@functools.lru_cache(maxsize=64)
def comparison(base: Settings) -> Comparison:
    """Give the comparison for the settings in force: the full retail price, or nothing where that is earned already."""
    if base.preset().has_rate_classes:
        return _one_for_all(base)
    defaults = {knob.key: knob.default for knob in knobs(base.preset())}
    tariff = build_tariff(base.load(), components=True)
    rule = ExportRule.NONE if _earns_full_price(tariff) else ExportRule.NET_METERING
    reference = base.with_change(RECOVERY, Recovery.FIXED.value, defaults[RECOVERY])
    variant = reference.with_change(FACTOR, rule.value, defaults[FACTOR])
    return Comparison(reference=reference, variant=variant, label=WORDS[rule])


def _one_for_all(base: Settings) -> Comparison:
    """Of rate classes: everybody on the tariff that others of the scenario are compared with."""
    variant = replace(base, tariff=landing_tariff(base.scenario), own="", changes=base.town.changes)
    preset = variant.preset()
    title = preset.tariffs[preset.selected_tariff].title or preset.selected_tariff
    return Comparison(
        reference=base,
        variant=variant,
        label="What if all were on one tariff?",
        text=f"{title} for everybody. Watch the bills.",
        back="Everybody was on one tariff.",
    )


def _earns_full_price(tariff: Tariff) -> bool:
    """Whether an exported kWh earns in every slot what an imported one costs."""
    if tariff.export_rule is ExportRule.NET_METERING:
        return True
    same = tariff.pass_through == tariff.export_pass_through
    posted = np.allclose(tariff.export_usd_per_kwh, tariff.energy_usd_per_kwh)
    return tariff.export_rule is ExportRule.NET_BILLING and same and posted
