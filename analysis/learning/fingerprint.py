"""What fixes a run of a leader, for the head of its journal: scenario, tariff in force, aims."""

import hashlib
from typing import Any

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.output.strict_json import dumps
from meanwatt.model.mean_field.leader.user_family import UserFamily
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.identity import identifying_table


def fingerprint(economy: Economy, in_force: Tariff, aims: LeaderSpec) -> dict[str, Any]:
    """The scenario, the tariff in force and the aims: names, numbers, and hashes of what is long."""
    return {
        "scenario": economy.scenario.name,
        "scenario_sha256": scenario_sha256(economy),
        "tariff_in_force": in_force.name,
        "tariff_sha256": tariff_sha256(in_force),
        "leader": aims.leader,
        **dict.fromkeys(("equity", "stability"), 0.0),
        **aims.weights,
        "price_cap_usd_per_kwh": aims.price_cap_usd_per_kwh,
        **({} if aims.own_family is None else {"family_sha256": family_sha256(aims.own_family)}),
    }


def family_sha256(family: UserFamily) -> str:
    """Hash of what a user lets the leader choose: free keys with their bounds, and the tariffs around them."""
    around = {name: one.table for name, one in family.each_class.items()}
    return _sha256([family.free, family.low.tolist(), family.high.tolist(), around])


def scenario_sha256(economy: Economy) -> str:
    """Hash of all keys of an economy's scenario that identify it."""
    return _sha256(identifying_table(economy.scenario))


def tariff_sha256(tariff: Tariff) -> str:
    """Hash of a tariff's name and numbers, and of those of its rate classes where it has some; not of its periods."""
    apart = ("standing_charges", "components", "classes", "periods", "credit_rule")
    posted = {name: getattr(tariff, name) for name in type(tariff).__slots__ if name not in apart}
    posted |= {charge.name: charge.to_table() for charge in tariff.standing_charges}
    posted |= {component.name: component.to_table() for component in tariff.components}
    if tariff.credit_rule is not None:
        posted["credit_rule"] = tariff.credit_rule.to_table()
    for one in tariff.classes:
        posted[f"class {one.name}"] = [tariff_sha256(one.tariff), sorted(one.members)]
    return _sha256(posted)


def _sha256(value: Any) -> str:
    return hashlib.sha256(dumps(value).encode()).hexdigest()
