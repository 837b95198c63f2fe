"""The options of ``meanwatt simulate`` that let a leader learn while the market runs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meanwatt.analysis.cli.leader_options import BOOKS, LeaderOptions, books_sentence, read_leader_options
from meanwatt.analysis.cli.options import one_of, whole_number
from meanwatt.analysis.leader.registry import find, names
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.ranges import DAYS

if TYPE_CHECKING:
    from meanwatt.agents.leader.learning_leader import LearningLeader
    from meanwatt.agents.tariff.tariff import Tariff
    from meanwatt.analysis.cli.watching import Work
    from meanwatt.analysis.learning.menus import Menu
    from meanwatt.model.mean_field.equilibrium import Equilibrium
    from meanwatt.model.scenario.economy import Economy


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderChoices:
    """What was asked of the leader.

    Attributes
    ----------
    objective
        Who it is and what it wants.
    round_days
        Days of a round.
    menu
        Names of tariffs of the scenario, or tariffs' TOML files; None for the usual menu.
    by_day_type
        Whether it may post another tariff on each day type.
    books
        Who balances its books, one of ``BOOKS``.
    """

    objective: LeaderOptions
    round_days: int
    menu: tuple[str, ...] | None
    by_day_type: bool
    books: str

    @property
    def settings(self) -> dict[str, Any]:
        """What to record with the result."""
        return {
            "leader": self.objective.leader,
            "weights": self.objective.weights or None,
            "price_cap_usd_per_kwh": self.objective.price_cap_usd_per_kwh,
            "round_days": self.round_days,
            "menu": self.menu,
            "by_day_type": self.by_day_type,
            "books": self.books,
        }


def read_leader(
    leader: str | None,
    *,
    round_days: str | None,
    menu: str | None,
    by_day_type: bool,
    weights_text: str | None,
    price_cap: str | None,
    books: str | None,
) -> LeaderChoices | None:
    """Read the options; None without a leader.

    Raises
    ------
    ValueError
        In one line, if an option is wrong or belongs to another leader, or to one where there is none.
    """
    alone = {
        "--round-days": round_days is not None,
        "--menu": menu is not None,
        "--by-day-type": by_day_type,
        "--weights": weights_text is not None,
        "--price-cap": price_cap is not None,
        "--books": books is not None,
    }
    if leader is None:
        for option, given in alone.items():
            if given:
                raise ValueError(f"{option} belongs to a leader who learns; give --leader {' or '.join(names())} too")
        return None
    objective = read_leader_options(leader, weights_text, price_cap)
    if not find(leader).is_metered:
        raise ValueError(f"--leader {leader}: no meter shows what {find(leader).called} wants, so it cannot learn")
    tariffs = None
    if menu is not None:
        tariffs = tuple(name.strip() for name in menu.split(","))
        twice = [name for name in tariffs if tariffs.count(name) > 1 or not name]
        if twice:
            what = f"{twice[0]} comes twice" if twice[0] else "a name is empty"
            raise ValueError(f"--menu is {menu!r}: {what}; give every tariff once")
        if by_day_type:
            raise ValueError("--menu and --by-day-type exclude each other; the menu by day type is a net of its own")
    return LeaderChoices(
        objective=objective,
        round_days=whole_number("--round-days", round_days or "30", DAYS, example=30),
        menu=tariffs,
        by_day_type=by_day_type,
        books=one_of("books", books or BOOKS[0], BOOKS),
    )


def make_leader(
    choices: LeaderChoices, economy: "Economy", in_force: "Equilibrium", size: dict[str, int], work: "Work"
) -> tuple["LearningLeader", "Menu"]:
    """Solve the menu, and make the leader who learns it."""
    from meanwatt.analysis.learning.books import BooksKind
    from meanwatt.analysis.learning.market_leader import learning_leader

    menu = solved_menu(choices, economy, in_force, work)
    work.new_stage("metering the tariff in force")
    leader = learning_leader(
        menu,
        in_force,
        households=size["households"],
        seed=size["seed"],
        round_days=choices.round_days,
        books=BooksKind(choices.books),
    )
    return leader, menu


def solved_menu(choices: LeaderChoices, economy: "Economy", in_force: "Equilibrium", work: "Work") -> "Menu":
    """The menu asked for, or the usual one, with the equilibrium of each tariff."""
    from meanwatt.analysis.learning.menus import solve_menu, usual_menu

    aims = choices.objective.aims(economy)
    named = None if choices.menu is None else _tariffs(choices.menu, economy)
    work.new_stage("solving the menu")
    if named is None:
        return usual_menu(aims, in_force, by_day_type=choices.by_day_type, watch=work.watch)
    return solve_menu(aims, list(named.values()), in_force, names=tuple(named), watch=work.watch)


def _tariffs(menu: tuple[str, ...], economy: "Economy") -> "dict[str, Tariff]":
    """Tariffs by name or file, and rate classes as in force but for one (CLASS=NAME), by what they are called.

    ``ValueError`` in one line where two have one name.
    """
    from meanwatt.model.scenario.branches import require_no_adders
    from meanwatt.model.scenario.economy import build_rate_classes
    from meanwatt.model.scenario.loading import load_scenario

    found: dict[str, tuple[str, Tariff]] = {}
    for given in menu:
        tariff = build_rate_classes(load_scenario(economy.scenario, tariff=given))
        require_no_adders(tariff)
        name = given if tariff.classes else tariff.name
        if name in found:
            raise ValueError(f"--menu: {found[name][0]} and {given} are both named {name}; give one another name")
        found[name] = (given, tariff)
    return {name: tariff for name, (_, tariff) in found.items()}


def say_leader(found: dict[str, Any]) -> None:
    """Print what the leader posted and learned, for people."""
    from meanwatt.analysis.cli.show import figure, say, table
    from meanwatt.analysis.leader.objective import LEVEL

    posted, objective = found["posted_tariff"], find(found["leader"])
    learned, worth, regret, mean_regret = (
        found[f"{name}_{objective.key}"] for name in ("learned", "worth", "regret", "mean_regret")
    )
    states = found["states"]
    rows = []
    for k, name in enumerate(found["menu"]):
        row = [name]
        for s in range(len(states)):
            row += [figure(learned[s][k], 4), str(found["learned_days"][s][k])]
        if len(states) == 1:
            row.append(figure(worth[k], 4))
        rows.append(tuple(row))
    heads = ["tariff"]
    for state in states:
        label = "" if len(states) == 1 else f", {' '.join(state)}"
        heads += [f"learned{label}", "days"]
    if len(states) == 1:
        heads.append("mean field")
    table(
        f"{objective.called[0].upper()}{objective.called[1:]} after {counted(len(found['rounds']), 'round')} of"
        f" {counted(found['round_days'], 'day')}, {objective.unit}",
        tuple(heads),
        rows,
    )
    if found["learned_is"] != LEVEL:  # else columns of one unit that are not to be compared
        beside = f"; mean field: {LEVEL}" if len(states) == 1 else ""
        say(f"Learned: {found['learned_is']}, as meters tell it{beside}.")
    if found["recommended"] is None:
        say(f"Posted on the last day: {posted[-1] if posted else 'nothing'}. Nothing learned yet: no round is over.\n")
        return
    say(
        f"Recommended: {', '.join(found['recommended'])}. Regret against {', '.join(found['best'])}, to which a leader"
        f" with full knowledge commits: {regret:.4f}; mean over the rounds"
        f" {mean_regret:.4f} {objective.unit}.\n"
    )
    books = found["books"]
    if books["shortfall_usd_per_household_day"] is not None:
        say(f"{books_sentence(books)}\n")
