"""How to read the page Market."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

MARKET = Section(
    title="How to read the page Market",
    entries=(
        Entry(
            anchor="read-day",
            word="24 hours",
            text="Net load above, the wholesale price it makes below, and the tariff. The solid line is tonight's"
            " homes, the dashed one the mean field, the band how far so many homes may stray from it. With more"
            " homes the band is narrower; a line outside it is rare. Batteries: the energy in all of them at the end of"
            " each hour, over what they hold; thin lines mark the emptiest and the fullest tenth of them.",
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
            " triangle is a bus outside its limits: pointing down if the voltage is too low, up if it is too high."
            " Other colours: the loading of lines, what volt-watt holds back, phases. It lies as the land does where"
            " the feeder's file says where its buses stand. Zoom and move it by its buttons, by + − 0 and Shift with an"
            " arrow, by dragging, or by the wheel with Ctrl.",
        ),
        Entry(
            anchor="read-classes",
            word="Rate classes, and what bills are made of",
            text="Where homes are on several tariffs: what each class pays and earns, its mean bill, and what of that"
            " is left for the network once its energy is paid at the wholesale price, beside what the network costs a"
            " home. Whoever leaves less is paid for by those who leave more, or by the utility. Tiers, a demand charge"
            " and other components have a line each, as the mean field expects them; homes of the market are billed"
            " for their own months, and until a month ends its days bear what is expected. Rates of every class can be"
            " changed; lists of tiers cannot, nor what has no effect, and it is said why.",
        ),
        Entry(
            anchor="read-homes",
            word="Homes on the feeder",
            text="Click a bus of the map, go there with the arrow keys and press Enter, or choose it in the list: the"
            " homes connected to it are counted by income and technology, and listed. Choose one to follow it.",
        ),
        Entry(
            anchor="read-home",
            word="The home that is followed",
            text="Its day as its meter and its battery had it, its bill, and why it did so: the prices it planned with,"
            " and what its plan values a kWh kept in the battery at, from the values it decides by. Homes choose the"
            " better move more often, not always. The same home is followed through other tariffs and samples.",
        ),
        Entry(
            anchor="act-at-once",
            word="Act at once",
            text="Where the last solves took less than 0.15 s, every change acts at once, and a slider acts while it is"
            " dragged: old figures fade, the newest wish is solved next, and Undo goes back over the whole drag."
            " Elsewhere changes wait for Apply; the tariff and the scenario always act at once. Tick or untick it to"
            " have it your way; this browser remembers.",
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
            " how much it moved and whether that is better: mean field against mean field, without sampling error."
            " “No clear change” stands where the move is smaller than the market's own days of one weather differ"
            " (their standard deviation, known after a few days). “Pin” keeps what is in force, and changes are told"
            " against that until you unpin it.",
        ),
        Entry(
            anchor="tried",
            word="Tariffs you tried",
            text="Every tariff that was in force, with its key figures and the mean field's net load over the average"
            " day. Press one to go back to it. The list stays in this browser; nobody else sees it.",
        ),
    ),
)
