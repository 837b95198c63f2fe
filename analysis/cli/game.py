"""``meanwatt game``: a Stackelberg game on a page, solved for the classroom."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanwatt.analysis.cli import quick_start
from meanwatt.analysis.cli.options import Json, Seed, numbers, whole_number
from meanwatt.analysis.cli.watching import watched
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.ranges import GAME_TEMPERATURE, SEED

if TYPE_CHECKING:
    from meanwatt.analysis.tabular.solution import GameSolution


def game(
    game: Annotated[
        str | None,
        typer.Argument(
            metavar="GAME",
            help="Name of a built-in game, or a game's TOML file; without it the built-in ones are listed.",
            show_default=False,
        ),
    ] = None,
    *,
    temperature: Annotated[
        str | None,
        typer.Option(
            metavar="T,...",
            help="Temperatures of the softmax responses, in the unit of the rewards; by default from where iterating"
            " them converges to where it may not.",
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Print a built-in game as a TOML file, to begin your own with.")
    ] = False,
    seed: Seed = "0",
    json: Json = False,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write the result, its figures and a manifest there.")
    ] = None,
) -> int:
    """Solve a Stackelberg game that fits on a page, or list the built-in ones."""
    began = time.perf_counter()
    for option, given in (("--temperature", temperature), ("--out", out)):
        if given is not None and (game is None or show):
            raise ValueError(f"{option} belongs to a game that is solved; leave it out, or give a GAME without --show")
    if game is None:
        if show:
            raise ValueError("--show prints a built-in game; give its name, e.g. meanwatt game defection --show")
        return _list(json)
    if show:
        return _show(game, json)
    wanted = () if temperature is None else numbers("--temperature", temperature, GAME_TEMPERATURE, example="0.5,0.1")
    key = whole_number("--seed", seed, SEED, example=1)
    with watched(quiet=json) as work:
        from meanwatt.analysis.cli.show import print_json
        from meanwatt.analysis.tabular.report import solution_json
        from meanwatt.analysis.tabular.solution import Solved, solve_game
        from meanwatt.model.tabular.game_file import load_game

        if out is not None:
            from meanwatt.analysis.output.result_files import require_free

            require_free(out, "game")
        named = load_game(game)
        quick_start.over()
        solution = solve_game(
            named,
            temperatures=wanted,
            seed=key,
            told=lambda text: work.show(text, None),
            cancelled=work.cancelled,
        )
        result = {
            **solution_json(solution),
            "seed": key,
            "seconds": time.perf_counter() - began,
            "settings": {"game": game, "temperature": temperature, "seed": key},
        }
        if out is not None:
            _write(out, solution, result)
    if json:
        print_json(result)
    else:
        from meanwatt.analysis.cli.game_page import say_game

        say_game(solution, result["messages"])
    return 0 if solution.outcome is Solved.SOLVED else 1


def _list(json: bool) -> int:
    """Print the built-in games, one line each."""
    from meanwatt.analysis.cli.show import print_json, say
    from meanwatt.model.tabular.game_file import games, load_game

    found = [load_game(name) for name in games()]
    if json:
        rows = [
            {
                "name": one.name,
                "title": one.title,
                "players": {"leader": one.leader, "follower": one.follower},
                "states": one.states,
                "actions": {"leader": one.leader_actions, "follower": one.follower_actions},
            }
            for one in found
        ]
        print_json({"games": rows, "messages": []})
        return 0
    width = max(len(one.name) for one in found)
    for one in found:
        say(
            f"{one.name:{width}}  {one.title}; {one.leader}: {', '.join(one.leader_actions)};"
            f" {one.follower}: {', '.join(one.follower_actions)}; {counted(len(one.states), 'state')}"
        )
    return 0


def _show(name: str, json: bool) -> int:
    """Print a built-in game as it is written."""
    from meanwatt.analysis.cli.show import print_json, say
    from meanwatt.model.tabular.game_file import game_text

    text = game_text(name)
    if json:
        print_json({"name": name, "toml": text, "messages": []})
    else:
        say(text.rstrip("\n"))
    return 0


def _write(out: str, solution: "GameSolution", result: dict[str, Any]) -> None:
    from meanwatt.analysis.figures.glyphs import glyph_messages
    from meanwatt.analysis.figures.saved import image
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.tabular.error_figure import error_figure
    from meanwatt.analysis.tabular.iteration_figure import iteration_figure
    from meanwatt.analysis.tabular.response_figure import responses_figure
    from meanwatt.model.scenario.messages import joined
    from meanwatt.model.tabular.game_table import game_table

    figures = {}
    if solution.runs:  # a cancelled solve may have none
        figures = {"responses": responses_figure(solution), "iteration": iteration_figure(solution)}
    if solution.errors is not None:
        figures["errors"] = error_figure([solution.errors])
    result["messages"] = joined(result["messages"], glyph_messages(figures.values()))
    write_result(
        out,
        name="game",
        result=result,
        manifest={"settings": result["settings"], "seed": result["seed"], "game": game_table(solution.named)},
        tables={},
        texts={f"{name}.svg": image(figure, "svg").decode() for name, figure in figures.items()},
        pictures={f"{name}.png": image(figure, "png") for name, figure in figures.items()},
    )
