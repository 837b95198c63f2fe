"""How to read the page Bills."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

BILLS = Section(
    title="How to read the page Bills",
    entries=(
        Entry(
            anchor="bill-tariff",
            word="Tariff as filed",
            text="One of the gallery, which meanwatt tariffs lists, or a file of yours: a record of OpenEI's Utility"
            " Rate Database (JSON), or our TOML. A file is read as data in this tab alone; a link does not hold it."
            " A tariff that follows a wholesale price asks for a file of prices beside it.",
        ),
        Entry(
            anchor="bill-home",
            word="Home",
            text="A home of the scenario, the first of its kind: its battery follows the equilibrium of the scenario's"
            " own tariff for a year, and its meter is billed under the tariff above, to which it does not respond. Or"
            " open your meter's readings, as meanwatt bill reads them.",
        ),
        Entry(
            anchor="bill-lived",
            word="Lives under",
            text="What the homes of the scenario live under and decide by: one of its tariffs, with its tiers, demand"
            " charge or other components, or its rate classes. “What it pays where it lives” splits the bill that the"
            " mean field expects there, component by component, beside the means of the classes; what is approximated"
            " of it is said below.",
        ),
        Entry(
            anchor="bill-metering",
            word="Metering",
            text="How what is fed in is netted against what is bought: in each interval, over the month in kWh or in"
            " dollars, or not at all. The tariff has a rule of its own, or terms of feeding in to choose from.",
        ),
        Entry(
            anchor="read-statement",
            word="Statement",
            text="What passed the meter, and every part of the bill, month by month: the parts add up to the bill."
            " Carried is the credit that waits at the month's end. The numbers are those of meanwatt bill.",
        ),
        Entry(
            anchor="read-filed-rates",
            word="The picture of a tariff",
            text="What a kWh of the first tier costs, 12 months by 24 hours, the dearer the darker; one scale for all"
            " tariffs, up to 0.65 a kWh. Point at a field to read it.",
        ),
    ),
)
