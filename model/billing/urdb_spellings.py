"""One record, several spellings: the field names of OpenEI's bulk file, and capitals, become those of its interface.

The interface (version 8) writes ``energyratestructure``: periods that are lists of tiers. The bulk file of the whole
database writes ``energyRateStrux``: periods that are objects with the tiers under ``energyRateTiers``. Tools that read
both leave mixtures. The look-back of a demand charge has capitals in some answers (``lookbackMonths``).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from meanwatt.model.billing import urdb_fields as urdb
from meanwatt.model.scenario.values import show

BULK: Final = {
    "energyRateStrux": "energyratestructure",
    "energyWeekdaySched": "energyweekdayschedule",
    "energyWeekendSched": "energyweekendschedule",
    "energyKeyVals": "energyattrs",
    "energyMin": "peakkwhusagemin",
    "energyMax": "peakkwhusagemax",
    "energyHist": "peakkwhusagehistory",
    "demandRateStrux": "demandratestructure",
    "demandWeekdaySched": "demandweekdayschedule",
    "demandWeekendSched": "demandweekendschedule",
    "demandRateUnits": "demandrateunit",
    "demandKeyVals": "demandattrs",
    "demandMin": "peakkwcapacitymin",
    "demandMax": "peakkwcapacitymax",
    "demandHist": "peakkwcapacityhistory",
    "demandRatchetPct": "demandratchetpercentage",
    "flatDemandStrux": "flatdemandstructure",
    "flatDemandUnits": "flatdemandunit",
    "coincidentRateStrux": "coincidentratestructure",
    "coincidentSched": "coincidentrateschedule",
    "coincidentRateUnits": "coincidentrateunit",
    "fixedKeyVals": "fixedattrs",
    "rateName": "name",
    "utilityName": "utility",
    "effectiveDate": "startdate",
    "endDate": "enddate",
    "sourceReference": "source",
    "sourceParent": "sourceparent",
    "_id": "label",
}
"""Names of the bulk file that are not the interface's with capitals."""
TIERS: Final = {
    "energyratestructure": "energyRateTiers",
    "demandratestructure": "demandRateTiers",
    "flatdemandstructure": "flatDemandTiers",
    "coincidentratestructure": "coincidentRateTiers",
}
"""Under which name a period of the bulk file holds its tiers."""
SMALL: Final = {name.lower(): name for name in (*urdb.BILLED, *urdb.KEPT)}
LONGEST_LIST = 200
"""Characters of a list of names in a message."""


def as_interface(record: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The record under the interface's names, and what is to be said of it.

    Fields that no spelling makes known keep their name. A record that is the interface's already comes back equal.

    Raises
    ------
    ValueError
        In one line, where two spellings of one field are given.
    """
    found: dict[str, Any] = {}
    renamed: dict[str, str] = {}
    for name, value in record.items():
        known = _name(name)
        if known in found:
            other = renamed.get(known, known)
            raise ValueError(f"{show(other)} and {show(name)} are one field in two spellings; give one of them")
        if known != name:
            renamed[known] = name
        found[known] = _plain(known, value)
    if not renamed:
        return found, ()
    listed = ", ".join(f"{name} as {known}" for known, name in renamed.items())
    if len(listed) > LONGEST_LIST:
        listed = listed[:LONGEST_LIST].rsplit(", ", 1)[0] + ", …"
    return found, (f"Fields are read under the names of OpenEI's interface: {listed}.",)


def _name(name: str) -> str:
    if name in SMALL.values():
        return name
    return BULK.get(name) or SMALL.get(name.lower(), name)


def _plain(known: str, value: Any) -> Any:
    """The value as the interface writes it: lists of tiers, a text for an identifier, seconds for a date."""
    tiers = TIERS.get(known)
    if tiers is not None and isinstance(value, list):
        return [period[tiers] if isinstance(period, Mapping) and [*period] == [tiers] else period for period in value]
    if known == "label" and isinstance(value, Mapping) and [*value] == ["$oid"]:
        return value["$oid"]
    if known in ("startdate", "enddate") and isinstance(value, Mapping) and [*value] == ["$date"]:
        return _seconds(value["$date"])
    return value


def _seconds(date: object) -> object:
    """Seconds since 1970 of a date in ISO 8601; anything else as it is, for it changes no bill."""
    try:
        when = datetime.fromisoformat(str(date))
    except ValueError:
        return date
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
