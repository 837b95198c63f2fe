"""Fields of a record of OpenEI's U.S. Utility Rate Database (version 8 of its interface): which there are."""

from typing import Final

ENERGY: Final = ("energyratestructure", "energyweekdayschedule", "energyweekendschedule")
DEMAND: Final = ("demandratestructure", "demandweekdayschedule", "demandweekendschedule")
FLAT: Final = ("flatdemandstructure", "flatdemandmonths")
RATCHET: Final = ("lookbackpercent", "lookbackrange", "lookbackmonths", "demandratchetpercentage")
BILLED: Final = (
    *ENERGY,
    *DEMAND,
    *FLAT,
    *RATCHET,
    "demandrateunit",
    "demandunits",
    "flatdemandunit",
    "demandwindow",
    "fixedchargefirstmeter",
    "fixedchargeunits",
    "fixedmonthlycharge",
    "mincharge",
    "minchargeunits",
    "minmonthlycharge",
    "annualmincharge",
    "fueladjustmentsmonthly",
    "dgrules",
    "name",
    "extensions",
)
"""Those that this program reads."""
NOT_BILLED: Final = {
    "fixedchargeeaaddl": "the charge for further meters",
    "coincidentratestructure": "the charge at the system's peak, which readings do not show",
    "demandreactivepowercharge": "the charge on reactive power, which readings do not show",
}
"""Charges that this program cannot bill, and what they are."""
KEPT: Final = (
    *NOT_BILLED,
    *("label", "uri", "utility", "eiaid", "sector", "servicetype", "description", "source", "sourceparent", "approved"),
    *("startdate", "enddate", "supersedes", "supercedes", "country", "is_default", "isdefault", "usenetmetering"),
    *("voltagecategory", "voltageminimum", "voltagemaximum", "phasewiring", "revisions", "basicinformationcomments"),
    *("peakkwcapacitymin", "peakkwcapacitymax", "peakkwcapacityhistory", "peakkwhusagemin", "peakkwhusagemax"),
    *("peakkwhusagehistory", "energycomments", "demandcomments", "energyattrs", "demandattrs", "fixedattrs"),
    *("coincidentrateunit", "coincidentrateschedule", "utilityid", "rate", "version", "additionalsources"),
    *("energytoulabels", "demandtoulabels", "flatdemandcomments"),
    *("dgrulescomments", "fixedchargecomments", "energyrateunit", "tariffbookurl", "applicability", "territory"),
)
"""Those that change no bill, or that it cannot bill."""
RATES: Final = {
    "net_billing": "Net Billing Instantaneous",
    "net_billing_carryover": "Net Billing Hourly",
    "net_metering": "Net Metering",
    "buy_all_sell_all": "Buy All Sell All",
}
"""Words of ``dgrules``, by the name of the metering rule here."""
PER: Final = {"month": "$/month", "day": "$/day", "year": "$/year"}
"""Units of fixed and minimum charges."""
FIXED: Final = "fixed"
MINIMUM: Final = "minimum"
MONTHLY_MINIMUM: Final = "monthly_minimum"
ANNUAL_MINIMUM: Final = "annual_minimum"
TIME_OF_USE: Final = "demand"
FLAT_DEMAND: Final = "flat_demand"
"""Names here of what a record has without one."""
LONGEST_LADDER_END: Final = 1e37
"""A limit beyond this, as converters write it, is none."""
OURS: Final = "meanwatt"
"""What of ``extensions`` is this program's."""
AS_FILED: Final = "as_filed"
JSON_TEXT: Final = "json"


def period_name(number: int) -> str:
    """Name of a period of a record, which has only numbers."""
    return f"period_{number}"
