"""How to read the page Challenge."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

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
        Entry(
            anchor="challenge-board",
            word="The leaderboard",
            text="Open a board, and others on this server type its six letters, or open its link. Whoever joins under"
            " a name is listed with the try whose mean of three scores is highest; the server computes the scores. The"
            " board is gone when the server ends.",
        ),
    ),
)
