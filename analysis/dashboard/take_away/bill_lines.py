"""Lines of Python that give the numbers of the page of bills."""

from meanwatt.analysis.dashboard.bills.billing import settled_choice
from meanwatt.analysis.dashboard.bills.choice import OF_TARIFF, Choice
from meanwatt.analysis.dashboard.take_away.lines import call, solve_call
from meanwatt.model.billing.ratebook_source import load_ratebook

NUMBERS = (
    'print(found.by_month(found.bill.monthly_usd))\nprint(float(found.bill.annual_usd[0]), "in all")\n'
    "print(found.energy_rows())\nprint(*found.messages, sep='\\n')\n"
)


def bill_lines(choice: Choice) -> str:
    """Lines for a choice; files are looked for where they are run."""
    if not choice.tariff_file:
        choice = settled_choice(choice, load_ratebook(choice.tariff))
    chosen = {key: getattr(choice, key) or None for key in (*OF_TARIFF, "wholesale")}
    return _of_files(choice, chosen) if choice.load else _of_a_home(choice, chosen)


def _of_files(choice: Choice, chosen: dict[str, str | None]) -> str:
    clock = choice.clock
    made = call("Asked", tariff=choice.tariff_name, load=choice.load, generation=choice.solar or None, **chosen)
    told = call("Clock", year=clock.year, zone=clock.zone)
    return (
        "from meanwatt.model.billing.customer import Asked, bill_customer\n"
        "from meanwatt.model.billing.local_calendar import Clock\n\n"
        f"found = bill_customer({made[:-1]}, clock={told}))\n{NUMBERS}"
    )


def _of_a_home(choice: Choice, chosen: dict[str, str | None]) -> str:
    solve = solve_call(choice.scenario, choice.settings.tariff, {})
    billed = call("bill_home", choice.home_name, tariff=choice.tariff_name, **chosen).replace("(", "(meters, ", 1)
    return (
        "import meanwatt\n"
        "from meanwatt.analysis.impacts.home_meters import bill_home, home_meters\n\n"
        f"solution = {solve}\n"
        "meters = home_meters(solution.equilibrium)\n"
        f"found = {billed}\n{NUMBERS}"
    )
