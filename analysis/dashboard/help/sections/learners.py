"""How to read the page Learners."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

LEARNERS = Section(
    title="How to read the page Learners",
    entries=(
        Entry(
            anchor="read-learners",
            word="Learners",
            text="Homes that are told nothing live day after day, beside the same homes under the same chances at the"
            " equilibrium. Reached means: over the last quarter of the days the price error is at most 1.5 times the"
            " sampling error of as many homes at the equilibrium. A herd: beliefs are near the equilibrium's prices,"
            " the prices themselves are not.",
        ),
        Entry(
            anchor="read-learners-errors",
            word="How far from the equilibrium",
            text="Price error and belief error of each day. The dashed line is the price error of the same homes when"
            " all follow the equilibrium: this is the sampling error, and nobody stays below it for long. Where errors"
            " span a factor of ten and more the axis goes in steps of ten.",
        ),
        Entry(
            anchor="read-learners-hours",
            word="Prices of the first days",
            text="The wholesale price by hour on the first days with the weather of day 1. In a herd the dear hour of"
            " one day is the cheap one of the next.",
        ),
        Entry(
            anchor="read-learners-load",
            word="Net load of the last day",
            text="The thick line is the homes' mean on the last day, the dashed one the mean field in its weather.",
        ),
        Entry(
            anchor="read-learners-volts",
            word="Hours outside the voltage limits",
            text="Hours of each day that a bus is outside its limits, summed over buses, with the power flow of every"
            " hour. A place of rest within the limits can have a path outside them.",
        ),
        Entry(
            anchor="read-learners-herd",
            word="The herd, and what cures it",
            text="The yellow button sets up a market that herds. Each further button changes one thing of it, and says"
            " how far prices moved from day to day before and after: the same homes, the same weather.",
        ),
        Entry(
            anchor="read-learners-numbers",
            word="Key numbers of learners",
            text="Every column has the same homes, weather and chances; only how homes decide differs and, beside the"
            " herd, the one thing that was changed.",
        ),
        Entry(
            anchor="learner-bill",
            word="Mean bill of a behaviour",
            text="Dollars a day of the homes that decide in one way. Every kind of home has the same share in each.",
        ),
        Entry(
            anchor="behaviour-equilibrium",
            word="Follow the equilibrium",
            text="The plan of the mean field's homes, as if a forecast told them the prices.",
        ),
        Entry(
            anchor="behaviour-belief",
            word="Learn prices (belief)",
            text="A home believes in prices and makes its best plan for them; every day the belief moves towards the"
            " prices that came.",
        ),
        Entry(
            anchor="behaviour-qlearning",
            word="Learn from own bills (Q-learning)",
            text="A home knows no price, only its own bills; it learns what each move of its battery is worth. That"
            " takes years.",
        ),
        Entry(
            anchor="behaviour-self-consumption",
            word="Use own sun first",
            text="Surplus sun goes into the battery, own use comes out of it; prices play no part.",
        ),
        Entry(
            anchor="behaviour-price-threshold",
            word="Charge when rates are low",
            text="The battery charges in the cheapest quarter of the day's rates and discharges in the dearest.",
        ),
        Entry(anchor="behaviour-passive", word="Leave the battery alone", text="The battery stands still."),
        Entry(
            anchor="first-step",
            word="First step",
            text="How far a belief moves towards the first day's prices: 1 is the whole way. Later steps shrink like"
            " one over the root of the days.",
        ),
        Entry(
            anchor="cohorts",
            word="Cohorts",
            text="Groups of learners of equal size, each with a belief of its own. As long as all answer on the same"
            " days they believe the same.",
        ),
        Entry(
            anchor="stagger",
            word="Stagger",
            text="Days between two plans. With 7 cohorts and stagger 7 one home in seven makes a new plan each day.",
        ),
        Entry(
            anchor="belief-spread",
            word="Spread of beliefs",
            text="How far cohorts' first beliefs lie apart: at 0.2 each price is up to 20 % above or below the common"
            " guess, drawn for each cohort. It takes more than one cohort to differ.",
        ),
        Entry(
            anchor="step-spread",
            word="Spread of steps",
            text="The same for first steps: some cohorts learn faster than others. No step may pass 1.",
        ),
        Entry(
            anchor="q-first-step",
            word="Q-learning: first step",
            text="How far a home moves what it thinks an action costs towards what it has just paid.",
        ),
        Entry(
            anchor="q-exploration",
            word="Q-learning: exploration",
            text="Share of moves that are tried at random on the first day.",
        ),
        Entry(
            anchor="q-settle-days",
            word="Q-learning: settling",
            text="Steps and exploration fall as 1 + day/settling to minus the power: more days, and they stay large"
            " longer.",
        ),
        Entry(
            anchor="q-power",
            word="Q-learning: power",
            text="How fast they fall: above 0.5, at most 1.",
        ),
        Entry(
            anchor="q-shock",
            word="Q-learning: tells shocks apart",
            text="Whether a home keeps a table for each state of its own load, which fills more slowly, or averages.",
        ),
        Entry(
            anchor="q-start",
            word="Q-learning: begins with",
            text="A first guess is the best answer to the prices at which belief learners begin, too; nothing makes a"
            " home try what it has not.",
        ),
        Entry(
            anchor="temperature",
            word="Temperature",
            text="How softly a home chooses: at 0 it takes the best hour, however small the gain; at 0.02 USD it"
            " spreads over hours that differ by a few cents.",
        ),
        Entry(
            anchor="belief-error",
            word="Belief error",
            text="Root mean square of the prices believed less the equilibrium's.",
            name="belief_error_usd_per_kwh",
        ),
        Entry(
            anchor="price-error",
            word="Price error",
            text="Root mean square, over the hours of a day, of the prices that came less the equilibrium's in that"
            " weather.",
            name="price_error_usd_per_kwh",
        ),
        Entry(
            anchor="price-move",
            word="Price move",
            text="Root mean square of a day's prices less those of the last day with the same weather: what jumps.",
            name="price_move_usd_per_kwh",
        ),
    ),
)
