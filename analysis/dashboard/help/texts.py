"""Every string of the help page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that is explained.

    Attributes
    ----------
    anchor
        Its place on the page: ``/help#anchor``.
    word, text
        What is explained, and how.
    name
        Its name in the code and in the project's glossary, if it has one.
    """

    anchor: str
    word: str
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page with a heading."""

    title: str
    entries: tuple[Entry, ...] = ()
    paragraphs: tuple[str, ...] = ()


TITLE = "Help"
CONTENTS = "On this page"

WHAT = Section(
    title="What this is",
    paragraphs=(
        "Meanwatt shows what an electricity tariff does to a town of homes with solar panels and batteries: every home"
        " answers the price, all homes together make the price, and Meanwatt finds where that comes to rest.",
        "You are the regulator: you set the tariff, and you see who pays what, how much solar and network capacity is"
        " wasted, and how steady prices and voltages are.",
        "Towns and tariffs are built from public data of real utilities; every number on a page is computed on this"
        " machine, and nothing leaves it.",
    ),
)

FIRST = Section(
    title="What to do first",
    paragraphs=(
        "On the page Market press the yellow button. It changes one thing, what exported solar earns, at the same"
        " network cost; read in the sentence below whose bill rises.",
        "Then move a slider, press Apply, and press Play to watch homes live under your tariff.",
        "With a class begin on the page Lessons: predict first, then see what comes out.",
        "On the page Compare choose two tariffs and read who pays whom. “Copy link” keeps what you see for others.",
    ),
)

KEYS = Section(
    title="Keys",
    entries=(
        Entry(anchor="key-space", word="Space", text="Play, or pause."),
        Entry(anchor="key-s", word="S", text="Step one day."),
        Entry(anchor="key-r", word="R", text="Reset: back to day 0, with the same homes and the same chances."),
    ),
)

MARKET = Section(
    title="How to read the page Market",
    entries=(
        Entry(
            anchor="read-day",
            word="24 hours",
            text="Net load above, the wholesale price it makes below, and the tariff. The solid line is tonight's"
            " homes, the dashed one the mean field, the band how far so many homes may stray from it. With more"
            " homes the band is narrower; a line outside it is rare.",
        ),
        Entry(
            anchor="read-burden",
            word="Burden",
            text="One bar for each income group: the share of its income that pays for electricity. The dashed mark"
            " is the mean field's, the dotted outline the bar before your last change.",
        ),
        Entry(
            anchor="read-feeder",
            word="Feeder",
            text="The wires of a neighbourhood, one circle for each bus, coloured by voltage at one hour. A"
            " triangle is a bus outside its limits: pointing down if the voltage is too low, up if it is too high.",
        ),
        Entry(
            anchor="read-numbers",
            word="Key figures",
            text="The large number is the mean field's; the small one below it is the market's, so far or tonight.",
        ),
    ),
)

COMPARE = Section(
    title="How to read the page Compare",
    entries=(
        Entry(
            anchor="read-key-numbers",
            word="Key numbers",
            text="The same number under A and under B. The arrow says which way it moves from A to B, the word"
            " whether that is better. Look first at the line above: only at equal cost recovery is the comparison"
            " fair.",
        ),
        Entry(
            anchor="read-payers",
            word="Who pays whom",
            text="The mean bill of each kind of home under A and B. “× share” weighs its change by how many such"
            " homes there are, so that the column adds up to the change of the utility's revenue; what the utility"
            " does not spend on energy and network is its surplus.",
        ),
        Entry(
            anchor="read-mean-day",
            word="The mean day",
            text="Net load of the mean home, and what it pays for a kWh, over the hours of a day that is the"
            " average of all weathers.",
        ),
    ),
)

FINITE = Section(
    title="How to read the page Finite market",
    entries=(
        Entry(
            anchor="read-sizes",
            word="Distance from the mean field",
            text="Every dot is one market of so many homes: how far its mean net load is from the mean field's. Both"
            " axes are in steps of ten, so that 1/√N is a straight line. Dots that stay above the line as homes"
            " become many show that something moves everybody at once, as weather that the mean field forgot.",
        ),
        Entry(
            anchor="read-deviation",
            word="What one home gains by deviating",
            text="Every home follows the mean field's plan; one of them leaves it for its own best reply, knowing"
            " that it moves the price a little. In a large town it gains no more than among endlessly many.",
            name="exploitability_usd_per_household_day",
        ),
        Entry(
            anchor="read-criteria",
            word="Criteria",
            text="Stated before anything is drawn: what theory says, and a margin. A criterion passes if the whole"
            " 95 % interval lies within the margin, fails if it lies outside, and is undecided in between: then"
            " draw more markets.",
        ),
    ),
)

LESSONS = Section(
    title="How to read the page Lessons",
    entries=(
        Entry(
            anchor="read-lesson",
            word="A lesson",
            text="Blue is the town as it is, orange the town with one thing changed; nothing else differs, and where"
            " money is compared the utility covers the same cost in both. Your prediction stays in this browser. It"
            " is all computed anew on this machine.",
        ),
    ),
)

WORDS = Section(
    title="Words",
    entries=(
        Entry(
            anchor="adder",
            word="Adder",
            text="Dollars on every kWh bought that make bills cover the cost, if it is recovered by volume. The"
            " smallest one that does is taken.",
            name="adder_usd_per_kwh",
        ),
        Entry(
            anchor="burden",
            word="Burden",
            text="Share of its income that a group of homes pays for electricity: net bills over income.",
            name="burden",
        ),
        Entry(
            anchor="burden-gap",
            word="Burden gap",
            text="The highest burden of an income group less the lowest, in percent of income. Less is more equal.",
            name="burden_gap",
        ),
        Entry(
            anchor="cost-recovery",
            word="Cost recovery",
            text="How bills are made to cover energy and network: by an adder on every kWh, by a fixed charge, or"
            " not at all, with rates as posted. Compare tariffs that recover the same cost; else bills differ for"
            " that reason.",
        ),
        Entry(
            anchor="curtailed",
            word="Curtailed solar",
            text="Solar output that inverters hold back, because using or exporting it would cost its home money.",
        ),
        Entry(
            anchor="efficiency-gap",
            word="Efficiency gap",
            text="Welfare lost against the first best, in dollars. Less is better; zero cannot be beaten.",
            name="efficiency_gap_usd_per_household_day",
        ),
        Entry(
            anchor="elasticity",
            word="Elasticity",
            text="How strongly use answers the price: at 0.10 a price 10 % higher lowers use by 1 %.",
            name="elasticity",
        ),
        Entry(
            anchor="equilibrium",
            word="Equilibrium",
            text="Where it all comes to rest: every home's plan is best at these prices, and these prices are those"
            " that all the plans make. “Not converged” says that it was not found within the rounds allowed; “no"
            " price covers the cost” that homes answer every higher price by buying less.",
        ),
        Entry(
            anchor="first-best",
            word="First best",
            text="What a planner would do who runs every battery and every appliance for the town's welfare. No"
            " tariff does better.",
        ),
        Entry(
            anchor="fixed-charge",
            word="Fixed charge",
            text="Dollars that a home pays whatever it uses; it may differ by income group.",
            name="fixed_charge_usd_per_day",
        ),
        Entry(
            anchor="imv",
            word="IMV, price swing",
            text="Incremental mean volatility: the mean absolute change of the wholesale price from one hour to the"
            " next. Less is steadier.",
            name="imv",
        ),
        Entry(
            anchor="mean-field",
            word="Mean field",
            text="Endlessly many homes at once. One home no longer moves the price, so chance cancels and the"
            " average is exact; a town of N homes strays from it by about 1/√N.",
        ),
        Entry(
            anchor="net-billing",
            word="Net billing",
            text="Exported solar earns a posted credit, usually less than a bought kWh costs.",
        ),
        Entry(
            anchor="net-load",
            word="Net load",
            text="Use less solar, plus what the battery takes; below zero the home exports.",
            name="net_load_kw",
        ),
        Entry(
            anchor="net-metering",
            word="Net metering",
            text="Exported solar earns what a bought kWh costs: the meter runs backwards.",
        ),
        Entry(
            anchor="pass-through",
            word="Pass-through",
            text="Share of the wholesale price that homes see: at 0 none of it, at 1 every move.",
            name="pass_through",
        ),
        Entry(
            anchor="peak-to-average",
            word="Peak to average",
            text="The highest net load over its mean. The network is built for the peak; less needs less network.",
            name="peak_to_average",
        ),
        Entry(
            anchor="pu",
            word="pu, per unit",
            text="Voltage over the nominal one: 1.00 pu is as it should be, and 0.95 pu is 5 % below.",
        ),
        Entry(
            anchor="sqrt-n",
            word="√N",
            text="The mean of N homes that draw their chances apart strays by the spread of one home over √N: a"
            " hundred times as many homes stray a tenth as far. The band shows two standard deviations.",
        ),
        Entry(
            anchor="suits",
            word="Suits index",
            text="From −1 to 1: below 0 the poor pay a larger share of their income than the rich, which is called"
            " regressive; at 0 all pay the same share.",
            name="suits",
        ),
        Entry(
            anchor="surplus",
            word="Surplus",
            text="The utility's revenue less its cost of energy and network. Below 0 is a loss; a balanced tariff"
            " leaves 0.",
            name="surplus_usd_per_household_day",
        ),
        Entry(
            anchor="tariff",
            word="Tariff",
            text="What homes pay for a kWh by the hour, what they earn for one exported, and the fixed charge.",
        ),
        Entry(
            anchor="welfare",
            word="Welfare",
            text="What the use of electricity is worth to homes, less battery wear, the cost of supply and network,"
            " and the damage of carbon. Who pays whom does not change it.",
            name="welfare_usd_per_household_day",
        ),
        Entry(
            anchor="wholesale-price",
            word="Wholesale price",
            text="What one more kWh costs to make at that hour; it rises with the load of all.",
            name="wholesale_usd_per_kwh",
        ),
    ),
)

CHALLENGE = Section(
    title="The challenge",
    paragraphs=(
        "On the page Challenge you set the tariff: draw the rates of 24 hours with the mouse or a finger, or give them"
        " as numbers; with the keyboard, Tab to the chart, left and right choose the hour, up and down change its rate"
        " by a cent, Page up and Page down by five. Submit, and the homes answer.",
    ),
    entries=(
        Entry(
            anchor="read-challenge",
            word="The scores",
            text="Efficiency is welfare, equity the burden gap, stability the price swing. Each is 0 under the filed"
            " tariff, its books balanced in equal parts, and 100 at the best that the commission's own search found on"
            " that measure alone, whatever it does to the others. So it is hard to have all three, and a score may be"
            " below 0 or above 100. A try has a star if no other is better on one score without being worse on"
            " another.",
        ),
        Entry(
            anchor="challenge-recovery",
            word="The same cost",
            text="Fixed charges move nobody here, so the program sets them to what the rates leave of the cost, in the"
            " parts that you give each income group. Every try covers its cost to the cent.",
        ),
        Entry(
            anchor="challenge-computed",
            word="The computed tariff",
            text="The commission commits to the tariff with the highest mean of the three scores in its family: a"
            " time-of-use pattern, a share of the wholesale price, an export credit, and a fixed charge that rises at"
            " most in proportion to income. What you draw need not be in the family, so you may beat it.",
        ),
    ),
)

CLASS = Section(
    title="The class market",
    paragraphs=(
        "On the page Class market a teacher opens a room and shows its code; students join in their browsers. Each is"
        " one household among thousands, with a roof and a battery. A round is a day: everybody plans the battery for"
        " the hours of the day, then the day is lived, the price answers, and the bill comes.",
        "The market waits for nobody. Rooms survive the end of the program: start it again and the class goes on in the"
        " same round.",
    ),
    entries=(
        Entry(
            anchor="autopilot",
            word="autopilot",
            text="Who sends no plan is played as a home of that kind does in the mean field equilibrium.",
        ),
        Entry(
            anchor="class-score",
            word="score of a student",
            text="0 is the battery at rest, 100 the best plan for the prices that came; below 0 the battery did harm."
            " It counts payments, wear, and the charge left at midnight at what it is worth in the mean field. Where"
            " less than half a cent could be gained there is no score.",
        ),
        Entry(
            anchor="herd",
            word="herd",
            text="Homes that decide for themselves, by chances of their own, scatter about their mean field; the band"
            " shows how far as many of them stray, 19 times of 20. A class outside the band moves together.",
        ),
    ),
)

SECTIONS = (WHAT, FIRST, KEYS, MARKET, COMPARE, FINITE, LESSONS, CHALLENGE, CLASS, WORDS)
"""The page from top to bottom."""


def anchors() -> tuple[str, ...]:
    """Anchors of all entries."""
    return tuple(entry.anchor for section in SECTIONS for entry in section.entries)
