"""What this is, what to do first, and the keys."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

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

TAKE = Section(
    title="What you can take away",
    paragraphs=(
        "“Take away”, above every page, lists what is on it: every figure as SVG or PNG, as it is seen, and every table"
        " as CSV or Parquet with the numbers as they are printed. Each file says page, settings, version and link. The"
        " same numbers in Python stand below where a function gives them.",
        "“Projector” hides forms and small print and enlarges the rest; a link that ends with ?projector opens so."
        " Printed, a page is one white sheet.",
    ),
)

KEYS = Section(
    title="Keys",
    paragraphs=(
        "Single keys work on the pages, and not while you type in a field. If you speak to your computer, or hit keys"
        " by accident, switch them off: every one of them has a button, too. This browser remembers.",
    ),
    switch="Single keys (Space, S, R, P) work on this page and all others",
    entries=(
        Entry(anchor="key-space", word="Space", text="Play, or pause."),
        Entry(anchor="key-s", word="S", text="Step one day."),
        Entry(anchor="key-r", word="R", text="Reset: back to day 0, with the same homes and the same chances."),
        Entry(
            anchor="key-p",
            word="P",
            text="The projector: charts and key numbers alone, in large type, on every page; press it again to leave.",
        ),
    ),
)
