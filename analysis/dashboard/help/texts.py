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
            " is the mean field's, the dotted outline and the small triangle what it was before.",
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
        Entry(
            anchor="baseline",
            word="Before and now",
            text="After a change every figure keeps dotted what its mean field was before, and every key figure says by"
            " how much it moved and whether that is better: mean field against mean field, without chance. “Pin” keeps"
            " what is in force, and changes are told against that until you unpin it.",
        ),
        Entry(
            anchor="tried",
            word="Tariffs you tried",
            text="Every tariff that was in force, with its key figures and the mean field's net load over the average"
            " day. Press one to go back to it. The list stays in this browser; nobody else sees it.",
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

LEADER = Section(
    title="How to read the page Leader",
    entries=(
        Entry(
            anchor="read-search",
            word="The search",
            text="Every dot is a tariff tried: homes answered it, and this is what it was worth to the leader. The"
            " solid line is the best so far, the dashed one the tariff in force. The search climbs from several"
            " starts, so the dots fall back now and then.",
        ),
        Entry(
            anchor="read-rates",
            word="Rates by the hour",
            text="What a bought kWh costs and an exported one earns, averaged over all weathers: solid under the"
            " tariff found, dashed under the one in force.",
        ),
        Entry(
            anchor="read-before-after",
            word="Key numbers, before and after",
            text="The same number in force and found, with the change. The word says whether that is better for the"
            " town or the homes; the leader itself looks at the objective alone.",
        ),
        Entry(
            anchor="read-surface",
            word="The Pareto surface",
            text="Every dot is a tariff that no other one tried beats on efficiency, equity and stability at once: to"
            " the left is more efficient, below more equal, a smaller dot steadier. Click one to see its rates. The"
            " knee bulges farthest between the three extremes; it is no recommendation.",
        ),
        Entry(
            anchor="read-terms",
            word="The tariff found",
            text="The parameters that the leader chooses, between their bounds. One at a bound would go further if"
            " it might; what else binds is said below, and what the search itself says.",
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
            anchor="bill",
            word="Bill",
            text="What a home pays in a month: energy bought, less what its exports earn, and the fixed charge.",
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
            anchor="commitment",
            word="Commitment",
            text="The leader posts one tariff for ever and counts on all that homes will do because of it. Under"
            " feedback it may post another tariff every day; alternating, it takes all loads as given. Homes"
            " answer as always.",
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
            anchor="leader",
            word="Leader",
            text="Who posts the tariff and moves first: a commission that weighs welfare, equity and stability, a"
            " utility that wants its margin, or another.",
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
            anchor="objective",
            word="Objective",
            text="What the leader maximises, in one number. Two leaders' objectives cannot be compared; two tariffs'"
            " under one leader can.",
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
            anchor="price-cap",
            word="Price cap",
            text="The highest rate that a utility may charge for a kWh at any hour; 1.5 times the scenario's"
            " reference price unless you set another.",
        ),
        Entry(
            anchor="pu",
            word="pu, per unit",
            text="Voltage over the nominal one: 1.00 pu is as it should be, and 0.95 pu is 5 % below.",
        ),
        Entry(
            anchor="ramp",
            word="Ramp",
            text="How much the net load of a home rises or falls within an hour, at the steepest.",
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
            anchor="weights",
            word="Weights",
            text="What the commission gives up in welfare for equity and for stability: at equity 1, one dollar a"
            " day per home for a burden gap smaller by all of income, so one cent for 1 %. Limits of the"
            " constrained commission are what burden gap and price swing may not exceed.",
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

LEARNERS = Section(
    title="How to read the page Learners",
    entries=(
        Entry(
            anchor="read-learners",
            word="Learners",
            text="Homes that are told nothing live day after day, beside the same homes under the same chances at the"
            " equilibrium. Reached means: over the last quarter of the days the price error is at most 1.5 times what"
            " chance alone makes of the equilibrium. A herd: beliefs are near the equilibrium's prices, the prices"
            " themselves are not.",
        ),
        Entry(
            anchor="read-learners-errors",
            word="How far from the equilibrium",
            text="Price error and belief error of each day. The dashed line is the price error of the same homes when"
            " all follow the equilibrium: so much chance makes, and nobody stays below it for long. Where errors span"
            " a factor of ten and more the axis goes in steps of ten.",
        ),
        Entry(
            anchor="read-learners-hours",
            word="Prices of the first days",
            text="The wholesale price by hour on the first days with the weather of day 1. In a herd the dear hour of"
            " one day is the cheap one of the next.",
        ),
        Entry(
            anchor="read-learners-load",
            word="Net load of the last day",
            text="The thick line is the homes' mean on the last day, the dashed one the mean field in its weather.",
        ),
        Entry(
            anchor="read-learners-volts",
            word="Hours outside the voltage limits",
            text="Hours of each day that a bus is outside its limits, summed over buses, with the power flow of every"
            " hour. A place of rest within the limits can have a path outside them.",
        ),
        Entry(
            anchor="read-learners-herd",
            word="The herd, and what cures it",
            text="The yellow button sets up a market that herds. Each further button changes one thing of it, and says"
            " how far prices moved from day to day before and after: the same homes, the same weather.",
        ),
        Entry(
            anchor="read-learners-numbers",
            word="Key numbers of learners",
            text="Every column has the same homes, weather and chances; only how homes decide differs and, beside the"
            " herd, the one thing that was changed.",
        ),
        Entry(
            anchor="learner-bill",
            word="Mean bill of a behaviour",
            text="Dollars a day of the homes that decide in one way. Every kind of home has the same share in each.",
        ),
        Entry(
            anchor="behaviour-equilibrium",
            word="Follow the equilibrium",
            text="The plan of the mean field's homes, as if a forecast told them the prices.",
        ),
        Entry(
            anchor="behaviour-belief",
            word="Learn prices (belief)",
            text="A home believes in prices and makes its best plan for them; every day the belief moves towards the"
            " prices that came.",
        ),
        Entry(
            anchor="behaviour-qlearning",
            word="Learn from own bills (Q-learning)",
            text="A home knows no price, only its own bills; it learns what each move of its battery is worth. That"
            " takes years.",
        ),
        Entry(
            anchor="behaviour-self-consumption",
            word="Use own sun first",
            text="Surplus sun goes into the battery, own use comes out of it; prices play no part.",
        ),
        Entry(
            anchor="behaviour-price-threshold",
            word="Charge when rates are low",
            text="The battery charges in the cheapest quarter of the day's rates and discharges in the dearest.",
        ),
        Entry(anchor="behaviour-passive", word="Leave the battery alone", text="The battery stands still."),
        Entry(
            anchor="first-step",
            word="First step",
            text="How far a belief moves towards the first day's prices: 1 is the whole way. Later steps shrink like"
            " one over the root of the days.",
        ),
        Entry(
            anchor="cohorts",
            word="Cohorts",
            text="Groups of learners of equal size, each with a belief of its own. As long as all answer on the same"
            " days they believe the same.",
        ),
        Entry(
            anchor="stagger",
            word="Stagger",
            text="Days between two plans. With 7 cohorts and stagger 7 one home in seven makes a new plan each day.",
        ),
        Entry(
            anchor="temperature",
            word="Temperature",
            text="How softly a home chooses: at 0 it takes the best hour, however small the gain; at 0.02 USD it"
            " spreads over hours that differ by a few cents.",
        ),
        Entry(
            anchor="belief-error",
            word="Belief error",
            text="Root mean square of the prices believed less the equilibrium's.",
            name="belief_error_usd_per_kwh",
        ),
        Entry(
            anchor="price-error",
            word="Price error",
            text="Root mean square, over the hours of a day, of the prices that came less the equilibrium's in that"
            " weather.",
            name="price_error_usd_per_kwh",
        ),
        Entry(
            anchor="price-move",
            word="Price move",
            text="Root mean square of a day's prices less those of the last day with the same weather: what jumps.",
            name="price_move_usd_per_kwh",
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

SECTIONS = (WHAT, FIRST, KEYS, MARKET, COMPARE, FINITE, LEADER, LEARNERS, LESSONS, CHALLENGE, CLASS, WORDS)
"""The page from top to bottom."""


def anchors() -> tuple[str, ...]:
    """Anchors of all entries."""
    return tuple(entry.anchor for section in SECTIONS for entry in section.entries)
