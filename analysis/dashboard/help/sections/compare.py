"""How to read the page Compare."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

COMPARE = Section(
    title="How to read the page Compare",
    paragraphs=(
        "Each side begins with a tariff of the scenario. “Edit” opens it: draw the rates of 24 hours, or what exports"
        " earn, with the mouse or a finger; with the keyboard, Tab to the chart, left and right choose the hour, up and"
        " down change its rate by a cent, Page up and Page down by five; or give a number for a range of hours. Apply,"
        " and the homes answer. The link holds everything, so whoever opens it sees the same.",
    ),
    entries=(
        Entry(
            anchor="read-key-numbers",
            word="Key numbers",
            text="The same number under A and under B. The arrow says which way it moves from A to B, the word"
            " whether that is better. Look first at the line above: only at equal cost recovery is the comparison"
            " fair.",
        ),
        Entry(
            anchor="draw-tariff",
            word="A tariff of your own",
            text="Recovery says who pays what the rates leave of the network's cost: an adder on every kWh, the fixed"
            " charge in the parts that you give each income group, or nobody, and the surplus tells. What you do not"
            " touch stays as the tariff has it, other charges included. “Download” gives a TOML file"
            " that meanwatt solve SCENARIO --tariff FILE takes, with the same numbers; “Open a tariff file” reads one.",
        ),
        Entry(
            anchor="compared-terms",
            word="How the terms differ",
            text="What A and B post differently, a sentence each. Rates are those of the mean day, before an adder and"
            " before the wholesale price is passed on. The sentences below the key numbers then say why each differs.",
        ),
        Entry(
            anchor="read-bills",
            word="What the bills are made of",
            text="Energy is what is bought at the rate, after a discount; the adder is what recovery puts on every kWh;"
            " fixed and access charges are paid whatever is used; exports are what is credited. The parts add up to the"
            " bill, to the cent, and a part that nobody pays has no column.",
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
