"""A fixed charge by income: who pays it changes the burden and not the waste."""

from types import MappingProxyType

from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.lessons.figure import Bars, Pair
from meanwatt.analysis.lessons.lesson import Choose, Expected, Lesson, Notes, Option, Revealed, Side, Try
from meanwatt.analysis.lessons.words import dollars, goes, number
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

FACTOR = "tariff.fixed_charge_shape"
BASE = Case(tariff="two_part")
BY_INCOME = Case(tariff="income_graduated")
SEEN_PERCENT, SEEN_USD_PER_MONTH = 0.05, 0.01
"""Changes of the burden gap and of welfare that count as one."""


def reveal(watch: Watch) -> Revealed:
    """Solve the equal and the graduated charge."""
    watch.report("the same fixed charge for all", 0.0)
    before = BASE.solve(watch)
    watch.report("a fixed charge by income", 0.5)
    after = BY_INCOME.solve(watch, start=before)
    metrics = [equilibrium_metrics(found) for found in (before, after)]
    groups = before.economy.groups
    burdens = [{name: 100 * (one.burden[name] or 0.0) for name in groups} for one in metrics]
    charges = [DAYS_PER_MONTH * found.fixed_charge_usd_per_day for found in (before, after)]
    welfare = [DAYS_PER_MONTH * one.welfare_usd_per_household_day for one in metrics]
    numbers = {
        "gap_before": 100 * metrics[0].burden_gap,
        "gap_after": 100 * metrics[1].burden_gap,
        "gap_change": 100 * (metrics[1].burden_gap - metrics[0].burden_gap),
        "welfare_change": welfare[1] - welfare[0],
        "charge": float(charges[0][0]),
        "charge_low": float(charges[1][0]),
        "charge_high": float(charges[1][-1]),
    }
    return Revealed(
        given=(
            f"Now every home pays {dollars(numbers['charge'])} a month, whatever it uses and earns. The highest burden"
            f" is {number(numbers['gap_before'], 2)} % of income above the lowest: that is the burden gap."
        ),
        figure=Bars(
            title="Burden: share of income paid for electricity",
            unit="% of income",
            names=("the same charge for all", "charge by income"),
            pairs=tuple(Pair(name=f"{name} income", a=burdens[0][name], b=burdens[1][name]) for name in groups),
            digits=2,
        ),
        answer=answer(numbers),
        reading=reading(numbers),
        numbers=MappingProxyType(numbers),
    )


def answer(numbers: dict[str, float]) -> str:
    """Which of the answers the numbers say."""
    fairer = abs(numbers["gap_change"]) > SEEN_PERCENT
    leaner = abs(numbers["welfare_change"]) > SEEN_USD_PER_MONTH
    return {(True, True): "both", (True, False): "burden", (False, True): "waste", (False, False): "neither"}[
        fairer, leaner
    ]


def reading(numbers: dict[str, float]) -> str:
    """Read the figure."""
    same = abs(numbers["welfare_change"]) <= SEEN_USD_PER_MONTH
    waste = (
        "nobody uses a kWh more or less, for no price of a kWh has changed"
        if same
        else f"welfare changes by {dollars(numbers['welfare_change'])} a home and month"
    )
    return (
        f"With a charge from {dollars(numbers['charge_low'])} for low to {dollars(numbers['charge_high'])} for high"
        f" incomes the burden gap {goes(numbers['gap_before'], numbers['gap_after'])} from"
        f" {number(numbers['gap_before'], 2)} to {number(numbers['gap_after'], 2)} % of income, and {waste}."
    )


LESSON = Lesson(
    key="fixed-charge",
    title="A fixed charge by income",
    teaser="The same money from the same homes, but not the same from each. What else changes?",
    minutes=10,
    story=(
        "In this town a kWh costs what it costs to make it, carbon included. The wires are paid by a fixed charge.",
        "California's regulator went one step further in 2024: who earns little pays a smaller fixed charge. Here it"
        " doubles from low to middle and from middle to high incomes.",
    ),
    change="Only how the fixed charge is shared out changes. The utility takes in the same in both towns.",
    factor=FACTOR,
    money=True,
    base=BASE,
    variants=(BY_INCOME,),
    question=Choose(
        text="What changes, beside who pays the fixed charge?",
        options=(
            Option(key="both", text="The burden gap, and how much electricity is used"),
            Option(key="burden", text="The burden gap alone"),
            Option(key="waste", text="How much electricity is used, but not the burden gap"),
            Option(key="neither", text="Neither"),
        ),
    ),
    closing="The charge does what a tax does. Should an electricity bill do that, or the tax office?",
    tries=(
        Try(page="compare", text="Both tariffs side by side: who pays whom, to the cent", cases=(BASE, BY_INCOME)),
        Try(
            page="compare",
            text="The same on Oahu",
            cases=(
                Case(scenario="oahu", tariff="two_part"),
                Case(scenario="oahu", tariff="income_graduated"),
            ),
        ),
    ),
    notes=Notes(
        points=(
            "Two aims, two tools: the price of a kWh decides what is used, the fixed charge who pays. That is why the"
            " lesson keeps the price.",
            "Ask who pays least under the new charge and uses most. There is such a home in every town; is it meant?",
            "What the model leaves out: nobody leaves the grid, and nobody lies about an income.",
        ),
        expected=(
            Expected(
                name="gap_change",
                text="The burden gap falls",
                unit="% of income",
                digits=2,
                low=-5,
                high=-0.2,
            ),
            Expected(
                name="welfare_change",
                text="Welfare stays",
                unit="$ a home and month",
                digits=2,
                low=-0.001,
                high=0.001,
            ),
        ),
        sources=(
            "S. Borenstein, M. Fowlie, J. Sallee (2021), Designing electricity rates for an equitable energy"
            " transition, Energy Institute at Haas: prices are two to three times the marginal cost.",
            "California Public Utilities Commission, 9 May 2024, under Assembly Bill 205: 24.15 dollars a month, 6.00"
            " and 12.08 for homes of low income, and 5–7 cents less on a kWh.",
            "S. Burger, C. Knittel, I. Pérez-Arriaga and others (2020), The efficiency and distributional effects of"
            " alternative residential electricity rate designs, The Energy Journal 41(1).",
        ),
        sides=(
            Side(
                who="For it",
                text="A kWh can be as cheap as it is to make, which helps heat pumps and electric cars, and homes of"
                " low income do not pay for that (Borenstein, Fowlie and Sallee; the commission's decision).",
            ),
            Side(
                who="Against it",
                text="Who saves energy or has solar saves less money; frugal homes of high income pay more; income is"
                " nobody's business at the utility; and a bill is not a tax (letters of energy experts to regulator"
                " and legislature, 2023–24; Assembly Bill 1999 of 2024, which would have repealed it).",
            ),
        ),
    ),
    reveal=reveal,
)
