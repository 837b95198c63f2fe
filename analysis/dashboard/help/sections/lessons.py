"""How to read the page Lessons."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

LESSONS = Section(
    title="How to read the page Lessons",
    entries=(
        Entry(
            anchor="read-lesson",
            word="A lesson",
            text="Blue is the town as it is, orange the town with one thing changed; nothing else differs, and where"
            " money is compared the utility covers the same cost in both. Your prediction stays in this browser. It"
            " is all computed anew on this machine.",
        ),
    ),
)
