"""What the words mean."""

from meanwatt.analysis.dashboard.help.sections.entry import Entry, Section

WORDS = Section(
    title="Words",
    entries=(
        Entry(
            anchor="adder",
            word="Adder",
            text="Dollars on every kWh bought that make bills cover the cost, if it is recovered by volume. The"
            " smallest one that does is taken.",
            name="adder_usd_per_kwh",
        ),
        Entry(
            anchor="bill",
            word="Bill",
            text="What a home pays in a month: energy bought, less what its exports earn, and the fixed charge.",
        ),
        Entry(
            anchor="burden",
            word="Burden",
            text="Share of its income that a group of homes pays for electricity: net bills over income.",
            name="burden",
        ),
        Entry(
            anchor="burden-gap",
            word="Burden gap",
            text="The highest burden of an income group less the lowest, in percent of income. Less is more equal.",
            name="burden_gap",
        ),
        Entry(
            anchor="commitment",
            word="Commitment",
            text="The leader posts one tariff for ever and counts on all that homes will do because of it. Under"
            " feedback it may post another tariff every day; alternating, it takes all loads as given. Homes"
            " answer as always.",
        ),
        Entry(
            anchor="cost-recovery",
            word="Cost recovery",
            text="How bills are made to cover energy and network: by an adder on every kWh, by a fixed charge, or"
            " not at all, with rates as posted. Compare tariffs that recover the same cost; else bills differ for"
            " that reason.",
        ),
        Entry(
            anchor="curtailed",
            word="Curtailed solar",
            text="Solar output that inverters hold back, because using or exporting it would cost its home money.",
        ),
        Entry(
            anchor="efficiency-gap",
            word="Efficiency gap",
            text="Welfare lost against the first best, in dollars. Less is better; zero cannot be beaten.",
            name="efficiency_gap_usd_per_household_day",
        ),
        Entry(
            anchor="elasticity",
            word="Elasticity",
            text="How strongly use answers the price: at 0.10 a price 10 % higher lowers use by 1 %.",
            name="elasticity",
        ),
        Entry(
            anchor="equilibrium",
            word="Equilibrium",
            text="Where it all comes to rest: every home's plan is best at these prices, and these prices are those"
            " that all the plans make. “Not converged” says that it was not found within the rounds allowed; “no"
            " price covers the cost” that homes answer every higher price by buying less.",
        ),
        Entry(
            anchor="first-best",
            word="First best",
            text="What a planner would do who runs every battery and every appliance for the town's welfare. No"
            " tariff does better.",
        ),
        Entry(
            anchor="fixed-charge",
            word="Fixed charge",
            text="Dollars that a home pays whatever it uses; it may differ by income group.",
            name="fixed_charge_usd_per_day",
        ),
        Entry(
            anchor="imv",
            word="IMV, price swing",
            text="Incremental mean volatility: the mean absolute change of the wholesale price from one hour to the"
            " next. Less is steadier.",
            name="imv",
        ),
        Entry(
            anchor="leader",
            word="Leader",
            text="Who posts the tariff and moves first: a commission that weighs welfare, equity and stability, a"
            " utility that wants its margin, or another.",
        ),
        Entry(
            anchor="mean-field",
            word="Mean field",
            text="Endlessly many homes at once. One home no longer moves the price, so chance cancels and the"
            " average is exact; a town of N homes strays from it by about 1/√N.",
        ),
        Entry(
            anchor="net-billing",
            word="Net billing",
            text="Exported solar earns a posted credit, usually less than a bought kWh costs.",
        ),
        Entry(
            anchor="net-load",
            word="Net load",
            text="Use less solar, plus what the battery takes; below zero the home exports.",
            name="net_load_kw",
        ),
        Entry(
            anchor="net-metering",
            word="Net metering",
            text="Exported solar earns what a bought kWh costs: the meter runs backwards.",
        ),
        Entry(
            anchor="objective",
            word="Objective",
            text="What the leader maximises, in one number. Two leaders' objectives cannot be compared; two tariffs'"
            " under one leader can.",
        ),
        Entry(
            anchor="pass-through",
            word="Pass-through",
            text="Share of the wholesale price that homes see: at 0 none of it, at 1 every move.",
            name="pass_through",
        ),
        Entry(
            anchor="peak-to-average",
            word="Peak to average",
            text="The highest net load over its mean. The network is built for the peak; less needs less network.",
            name="peak_to_average",
        ),
        Entry(
            anchor="price-cap",
            word="Price cap",
            text="The highest rate that a utility may charge for a kWh at any hour; 1.5 times the scenario's"
            " reference price unless you set another.",
        ),
        Entry(
            anchor="pu",
            word="pu, per unit",
            text="Voltage over the nominal one: 1.00 pu is as it should be, and 0.95 pu is 5 % below.",
        ),
        Entry(
            anchor="ramp",
            word="Ramp",
            text="How much the net load of a home rises or falls within an hour, at the steepest.",
        ),
        Entry(
            anchor="replications",
            word="Replications",
            text="Markets of the same size, each with homes and chances of its own. With more of them chance is told"
            " from what theory says with more certainty.",
        ),
        Entry(
            anchor="seed",
            word="Seed",
            text="The number from which all chances are drawn: the same seed gives the same homes and the same days to"
            " the last digit, another one another town.",
        ),
        Entry(
            anchor="sqrt-n",
            word="√N",
            text="The mean of N homes that draw their chances apart strays by the spread of one home over √N: a"
            " hundred times as many homes stray a tenth as far. The band shows two standard deviations.",
        ),
        Entry(
            anchor="suits",
            word="Suits index",
            text="From −1 to 1: below 0 the poor pay a larger share of their income than the rich, which is called"
            " regressive; at 0 all pay the same share.",
            name="suits",
        ),
        Entry(
            anchor="surplus",
            word="Surplus",
            text="The utility's revenue less its cost of energy and network. Below 0 is a loss; a balanced tariff"
            " leaves 0.",
            name="surplus_usd_per_household_day",
        ),
        Entry(
            anchor="tariff",
            word="Tariff",
            text="What homes pay for a kWh by the hour, what they earn for one exported, and the fixed charge.",
        ),
        Entry(
            anchor="time-of-use",
            word="Time of use",
            text="Rates that differ by the hour, cheap, middle and dear, in hours that are fixed beforehand. The spread"
            " is how far apart they lie: at 0 one price all day.",
        ),
        Entry(
            anchor="weights",
            word="Weights",
            text="What the commission gives up in welfare for equity and for stability: at equity 1, one dollar a"
            " day per home for a burden gap smaller by all of income, so one cent for 1 %. Limits of the"
            " constrained commission are what burden gap and price swing may not exceed.",
        ),
        Entry(
            anchor="welfare",
            word="Welfare",
            text="What the use of electricity is worth to homes, less battery wear, the cost of supply and network,"
            " and the damage of carbon. Who pays whom does not change it.",
            name="welfare_usd_per_household_day",
        ),
        Entry(
            anchor="wholesale-price",
            word="Wholesale price",
            text="What one more kWh costs to make at that hour; it rises with the load of all.",
            name="wholesale_usd_per_kwh",
        ),
    ),
)
