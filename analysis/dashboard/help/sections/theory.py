"""How to read the theory lab."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

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
