"""How to read the page Leader."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

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
            anchor="read-leader-concepts",
            word="Three concepts",
            text="What the same leader reaches if it binds itself (commitment), if it may post another tariff every day"
            " (feedback), and if it answers the last loads as though nobody moved (alternating). The last one may go"
            " round in circles: that is a result, and is said.",
        ),
        Entry(
            anchor="read-rate-parts",
            word="What a kWh is made of",
            text="The tariff posts one part of a rate; another follows the wholesale price, as far as it is passed"
            " through, and so moves with what homes do; an adder may recover the cost. They add up to the rate on the"
            " chart above.",
        ),
        Entry(
            anchor="read-leader-cold",
            word="Among cold households",
            text="What the same tariffs are worth to the leader if households make no slips (temperature 0). If that"
            " moves the objective by more than the tariff found gains, the order of tariffs is a matter of slips.",
        ),
        Entry(
            anchor="read-metered",
            word="Learned from meters only",
            text="A leader that sees meters and no household posts one tariff after the other, each for a month. Drawn"
            " is what the best metered one so far is really worth: the share of what a leader gains who knows all"
            " households. Near is within 5 %.",
        ),
        Entry(
            anchor="read-terms",
            word="The tariff found",
            text="The parameters that the leader chooses, between their bounds. One at a bound would go further if"
            " it might; what else binds is said below, and what the search itself says.",
        ),
    ),
)
