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
            anchor="read-terms",
            word="The tariff found",
            text="The parameters that the leader chooses, between their bounds. One at a bound would go further if"
            " it might; what else binds is said below, and what the search itself says.",
        ),
    ),
)
