"""How to read the page Hosting."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

HOSTING = Section(
    title="How to read the page Hosting",
    entries=(
        Entry(
            anchor="adoption",
            word="Adoption",
            text="The share of all homes that own what spreads: solar, or, of the homes without a battery, an electric"
            " car. It grows in every income group in proportion to today's. The whole town adopts, not this feeder's"
            " homes alone: prices, and what batteries do, are those of the level.",
        ),
        Entry(
            anchor="read-hosting-beside",
            word="Tariff beside it",
            text="The tariff in force is always swept; this one beside it, in the same placements. Under rate classes"
            " every home has its own class's rates.",
        ),
        Entry(
            anchor="placement",
            word="Placements",
            text="Who owns solar is drawn at random, many times, with the same draws under every tariff. In one"
            " placement earlier owners stay as more homes follow.",
        ),
        Entry(
            anchor="first-violation",
            word="First violation",
            text="The lowest adoption at which a placement breaks a limit: a voltage outside the band, a line or a"
            " transformer above its rating, in any hour of any weather. “50 %” is the adoption by which half of the"
            " placements have.",
        ),
        Entry(
            anchor="read-hosting-voltage",
            word="The highest voltage",
            text="Of all buses, hours and weathers, in the middle placement. Solar lifts the voltage at noon, most at"
            " the far end; a battery that charges then keeps it down, and whether it does depends on the tariff.",
        ),
        Entry(
            anchor="volt-watt",
            word="Volt-watt and volt-var",
            text="Rules by which a solar inverter answers to its own voltage: volt-watt holds output back when the"
            " voltage is high, volt-var draws reactive power. Dashed lines are with them, solid ones without.",
        ),
    ),
)
