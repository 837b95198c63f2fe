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

THEORY = Section(
    title="How to read the page Theory lab",
    entries=(
        Entry(
            anchor="stackelberg-game",
            word="A Stackelberg game",
            text="The leader moves first and the follower answers, in one state after the other; what both do decides"
            " what each gets and where they go next. The games are those of “meanwatt game”, with its numbers.",
        ),
        Entry(
            anchor="game-discount",
            word="Discount",
            text="Weight of the next period, from 0, which looks no further than today, to 0.99. It is the leader's;"
            " the follower's moves with it unless the game gives the follower one of its own.",
        ),
        Entry(
            anchor="game-temperature",
            word="Temperature η",
            text="How soft both players' choices are: cold, the best action alone is played; warm, worse ones are too."
            " It is in the unit of the rewards, and the slider is in steps of ten.",
        ),
        Entry(
            anchor="read-response-maps",
            word="What each answers the other",
            text="To the right what the leader does, up what the follower does. Each line is one player's answer to the"
            " other: wide lines exact, thin ones softened. Where the lines cross each answers the other. The black line"
            " takes turns; step through it round by round. Over a triangle the colours are the answers.",
        ),
        Entry(
            anchor="read-contraction",
            word="Taking turns",
            text="How far the leader's policy is from where it comes to rest, on an axis in steps of ten: a straight"
            " line is a constant factor a round. The dashed line is what Banach's theorem certifies if the proven"
            " factor is below 1; the dotted one uses the largest factor found, which proves nothing.",
        ),
        Entry(
            anchor="read-softmax-errors",
            word="Softmax against the best promise",
            text="How much less the leader gets than by its best promise to a follower who answers exactly, over the"
            " temperature, and what bounds it. The upright line and its circles are the temperature at hand. Errors"
            " below 0.00001 are not drawn.",
        ),
        Entry(
            anchor="read-concepts",
            word="Concepts",
            text="A commitment is a policy promised for ever, pure or with lotteries; feedback is what is played from"
            " day to day, tomorrow taken as given. The bars are what each is worth from the first state on.",
        ),
        Entry(
            anchor="read-solved-game",
            word="The solved game",
            text="What both play in each state, and what that is worth from there on; “any” where it changes nothing.",
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

SECTIONS = (WHAT, FIRST, KEYS, MARKET, COMPARE, FINITE, LEADER, THEORY, LESSONS, CLASS, WORDS)
"""The page from top to bottom."""


def anchors() -> tuple[str, ...]:
    """Anchors of all entries."""
    return tuple(entry.anchor for section in SECTIONS for entry in section.entries)
