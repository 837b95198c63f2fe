"""What ``meanwatt simulate`` shows to people."""

from collections.abc import Callable
from typing import Any

from meanwatt.analysis.cli.show import curtailed_row, figure, percent, unmet_row
from meanwatt.analysis.cli.simulate_components import component_rows, credit_rows
from meanwatt.analysis.report.page import Table


def result_tables(result: dict[str, Any]) -> list[Table]:
    """The result for people; nothing where too few days were lived."""
    if result["metrics"] is None:
        return []
    metrics, feeder = result["metrics"], result["feeder"]
    by_phase = result.get("phases")
    more = [_inverters(result["inverters"])] if result["inverters"] is not None else []
    groups = result.get("bus_groups")
    if groups is not None and (more or not result["residents"]["mixed"] or result["residents"]["branches"]):
        more.append(_bus_groups(groups))
    if by_phase is not None:
        more.insert(0, _phases(by_phase))
    return [
        Table(
            title="Over all days",
            heads=("", "value", "unit"),
            rows=[
                ("welfare", figure(metrics["welfare_usd_per_household_day"]), "USD per household-day"),
                ("utility's surplus", figure(metrics["surplus_usd_per_household_day"]), "USD per household-day"),
                *((f"burden, {group}", percent(value), "of income") for group, value in metrics["burden"].items()),
                ("mean wholesale price", figure(metrics["mean_wholesale_usd_per_kwh"], 4), "USD/kWh"),
                ("price volatility (IMV)", figure(metrics["imv"], 4), "USD/kWh per slot"),
                ("peak to average", figure(metrics["peak_to_average"], 2), ""),
                *curtailed_row(result["curtailed_kwh_per_household_day"]),
                *unmet_row(result["unmet_trip_kwh_per_household_day"]),
                *component_rows(result),
                *credit_rows(result),
                *_feeder(feeder),
                *_transformer(feeder, result["losses"], result["transformer_ageing"]),
                *_bills(result["behaviours"]),
            ],
        ),
        *more,
    ]


def rules_table(result: dict[str, Any]) -> Table:
    """What households decide by beside what they are billed for, for the report."""
    return Table(
        title="What households decide by, and what they are billed for",
        heads=("rate class", "part", "they decide by", "billed"),
        rows=[
            (row["class"], row["part"].replace("_", " "), row["households_decide_by"], row["billed"])
            for row in result["bill_rules"]
        ],
    )


def _feeder(feeder: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rows of the feeder; where the power flow has no state in some hours, they say that they leave these out."""
    unsolved = feeder["hours_unsolved"]
    of = f", of {feeder['hours'] - unsolved:g} of {feeder['hours']:g} h" if unsolved else ""
    return [
        ("lowest voltage", figure(feeder["voltage_min_pu"], 4), f"pu{of}"),
        ("highest voltage", figure(feeder["voltage_max_pu"], 4), f"pu{of}"),
        ("outside limits", figure(feeder["hours_outside_limits"], 1), f"h{of}"),
        ("transformer, highest load", percent(feeder["transformer_loading_max"], 0), f"of rating{of}"),
        ("line, highest load", percent(feeder["line_loading_max"], 0), f"of rating{of}"),
        ("line overloaded", figure(feeder["hours_line_overloaded"], 1), f"h{of}"),
        ("losses", figure(feeder["loss_kwh"], 1), f"kWh{of}"),
        *([("without a power flow", figure(unsolved, 1), "h")] if unsolved else []),
    ]


def _bills(behaviours: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Rows of the mean bills where households decide in several ways."""
    if len(behaviours) < 2:
        return []
    return [
        (f"bill, {row['behaviour']}", figure(row["bill_usd_per_household_day"]), "USD per household-day")
        for row in behaviours
    ]


def _transformer(
    feeder: dict[str, Any], losses: dict[str, Any] | None, ageing: dict[str, Any] | None
) -> list[tuple[str, str, str]]:
    """Rows of the transformer's overload and ageing, and of losses where the utility buys them."""
    rows = []
    if losses is not None and losses["bought"]:
        rows.append(("losses bought", figure(losses["usd_per_household_day"], 4), "USD per household-day"))
    if ageing is not None:
        rows += [
            ("transformer overloaded", figure(feeder["hours_transformer_overloaded"], 1), "h"),
            ("transformer, hottest spot", figure(ageing["hot_spot_max_celsius"], 0), "°C"),
            ("transformer, ageing", figure(ageing["relative_ageing"], 4), "of that built for"),
        ]
    return rows


def _volt_var(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What inverters did by the voltage of their phase."""
    without = found["hours_without_fixed_point"]
    return [
        ("drawn by volt-var", figure(found["most_kvar_drawn"], 2), "kvar at most"),
        *([("curve and phase voltages disagree", figure(without, 1), "h")] if without else []),
    ]


def _phases(found: dict[str, Any]) -> Table:
    """Phase voltages and unbalance, where homes are on one phase each."""
    volt_var = found.get("volt_var")
    unsolved = found["hours_unsolved"]
    of = f", of {found['hours'] - unsolved:g} of {found['hours']:g} h" if unsolved else ""
    homes = ", ".join(f"{count} on {name}" for name, count in found["homes_by_phase"].items() if count)
    return Table(
        title="By phase",
        heads=("", "value", "unit"),
        rows=[
            ("homes", homes, ""),
            ("lowest phase voltage", figure(found["voltage_min_pu"], 4), f"pu, at bus {found['min_bus']}{of}"),
            ("highest phase voltage", figure(found["voltage_max_pu"], 4), f"pu, at bus {found['max_bus']}{of}"),
            *(
                (f"phase {name} outside limits", figure(hours, 1), f"h{of}")
                for name, hours in found["hours_outside_limits"].items()
            ),
            (
                "largest unbalance",
                figure(found["unbalance_max_percent"], 3),
                f"%, at bus {found['most_uneven_bus']}{of}",
            ),
            ("unbalance, 95 % of the time", figure(found["unbalance_95_percent"], 3), f"% at most{of}"),
            (
                f"unbalance above {found['unbalance_limit_percent']:g} %",
                figure(found["hours_unbalance_above_limit"], 1),
                f"h{of}",
            ),
            ("transformer's most loaded phase", percent(found["transformer_loading_max"], 0), f"of rating{of}"),
            ("losses, the neutral's included", figure(found["loss_kwh"], 1), f"kWh{of}"),
            *([] if volt_var is None else _volt_var(volt_var)),
            *([("without a state by phase", figure(unsolved, 1), "h")] if unsolved else []),
        ],
    )


def _bus_groups(groups: list[dict[str, Any]]) -> Table:
    """Who sits where on the feeder, and what it costs them."""
    measures: list[tuple[str, Callable[[dict[str, Any]], str], str]] = [
        ("buses", lambda one: f"{len(one['buses'])}", ""),
        ("households", lambda one: f"{one['households']}", ""),
        ("mean income", lambda one: figure(one["income_usd_per_year"], 0), "USD/yr"),
        ("with solar", lambda one: percent(one["solar_share"], 0), "of households"),
        ("bill", lambda one: figure(one["bill_usd_per_household_day"]), "USD per household-day"),
        ("burden", lambda one: percent(one["burden"]), "of income"),
        ("lowest voltage", lambda one: figure(one["voltage_min_pu"], 4), "pu"),
        ("highest voltage", lambda one: figure(one["voltage_max_pu"], 4), "pu"),
        ("outside limits", lambda one: figure(one["hours_outside_limits"], 1), "h, summed over buses"),
    ]
    if any(one["curtailed_kwh_per_solar_household_day"] is not None for one in groups):
        measures += [
            (
                "held back by volt-watt",
                lambda one: figure(one["curtailed_kwh_per_solar_household_day"]),
                "kWh per household-day with solar",
            ),
            ("held back by volt-watt", lambda one: percent(one["curtailed_share_of_solar"]), "of their solar output"),
        ]
    return Table(
        title="Thirds of the feeder's customers by impedance to the source",
        heads=("", *(one["name"] for one in groups), "unit"),
        rows=[(name, *(shown(one) for one in groups), unit) for name, shown, unit in measures],
    )


def _type_name(one: dict[str, Any]) -> str:
    """Income group and technology, and the branch where there are branches."""
    return f"{one['income']}/{one['technology']}" + (f" on {one['branch']}" if "branch" in one else "")


def _inverters(found: dict[str, Any]) -> Table:
    """What curves in force made inverters do, and the curves themselves."""
    watt, var, most, distance = (
        found[name] for name in ("volt_watt", "volt_var", "most_curtailed_household", "net_load_distance_kw")
    )
    rows = [("held back", figure(found["curtailed_kwh_per_household_day"]), "kWh per household-day")]
    rows.append(("held back", percent(found["curtailed_share_of_solar"]), "of the solar output"))
    rows += [
        (_type_name(one), figure(one["kwh_per_household_day"]), "kWh per household-day")
        for one in found["curtailed_kwh_by_type"]
    ]
    if most is not None:
        rows.append(("who loses most", figure(most["kwh_per_day"]), f"kWh per day, at bus {most['bus']}"))
    if distance is not None:
        unit = "kW from the mean field"
        rows.append(("net load", figure(distance["with_volt_watt"], 4), unit))
        rows.append(("net load, nobody held back", figure(distance["without_volt_watt"], 4), unit))
    if watt is not None:
        points = f"({watt['v1_pu']:g}, {watt['p1']:g}) ({watt['v2_pu']:g}, {watt['p2']:g})"
        rows.append(("volt-watt", points, f"pu, of {watt['reference']} power; {watt['p2_storage']:g} with a battery"))
    if var is not None:
        voltages = " ".join(f"{var[f'v{k}_pu']:g}" for k in (1, 2, 3, 4))
        rows.append(("volt-var", voltages, f"pu; {var['q1']:g} fed in, {var['q4']:g} drawn of rated kVA"))
    return Table(title="Inverters by the voltage of their bus", heads=("", "value", "unit"), rows=rows)
