"""How to read the page Compare."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

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
