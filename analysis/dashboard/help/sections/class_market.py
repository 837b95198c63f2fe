"""How the class market is played."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

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
