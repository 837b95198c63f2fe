"""How to read the page Finite market."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

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
            anchor="read-floors",
            word="The floor and the memory",
            text="Chance shrinks with the number of homes; what the mean field has forgotten does not. The floor is"
            " what is left of the distance among endlessly many homes, fitted to the same markets for a mean field that"
            " remembers 0, 1 or 2 days; “by the law” is what one more day would tell, from no market.",
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
