"""From arguments to an exit status: 0 done, 1 the result asked for was not reached, 2 bad input, told in one line."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import typer

from meanwatt.agents.behaviour.own_code_error import OwnCodeError
from meanwatt.analysis.cli import (
    adoption,
    allot,
    bill,
    design,
    emergence,
    export,
    flow,
    game,
    hosting,
    impacts,
    import_,
    pilot,
    practice,
    quick_start,
    scenarios,
    simulate,
    solve,
    study,
    tariffs,
    validate,
)
from meanwatt.analysis.cli import app as app_command
from meanwatt.analysis.cli.interrupt import Terminated, unwound_by_sigterm
from meanwatt.analysis.cli.plain_help import PlainCommand, PlainGroup
from meanwatt.analysis.cli.streams import drop_output, reopen_closed
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.one_line import in_one_line

DONE: Final = 0
NOT_REACHED: Final = 1
BAD_INPUT: Final = 2

PROGRAM: Final = "meanwatt"
START: Final = f"To begin: {PROGRAM} app opens the browser page, {PROGRAM} solve textbook prints a first equilibrium."
OUT_OF_MEMORY: Final = (
    "not enough memory: a solve holds slots_per_day × (day types)^(memory + 1) × battery_levels × moves numbers for"
    " each household type with a battery, and with half the battery_levels moves are half as many; give fewer,"
    " e.g. --set battery_levels=21 or --set memory=0, or fewer households"
)
_WRONG_USE: Final[type[Exception]] = typer.BadParameter.__mro__[2]
"""The root of what the command-line library raises for a wrong use, wherever its version keeps it."""


class _Commands(PlainGroup):
    """The group of all commands; a misspelt one gets the nearest name."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise ValueError(unknown("command", args[0], self.list_commands(ctx)))
        return super().resolve_command(ctx, args)


_typer = typer.Typer(
    name=PROGRAM,
    cls=_Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=START,
)
for _command in (
    scenarios.scenarios,
    solve.solve,
    simulate.simulate,
    validate.validate,
    design.design,
    study.study,
    emergence.emergence,
    pilot.pilot,
    practice.practice,
    adoption.adoption,
    allot.allot,
    hosting.hosting,
    flow.flow,
    export.export,
    game.game,
    tariffs.tariffs,
    bill.bill,
    impacts.impacts,
    import_.import_,
    app_command.app,
):
    _typer.command(_command.__name__.rstrip("_"), cls=PlainCommand)(_command)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


@_typer.callback()
def _about(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Design electricity tariffs: the equilibrium of a utility and its prosumers, and the market beside it."""


def command_group() -> Any:
    """The parser of all commands."""
    return typer.main.get_command(_typer)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        What follows the program's name; by default what the process was given. Nothing at all asks for help.

    Returns
    -------
    int
        0 done, 1 the result asked for was not reached, 2 bad input: one line on standard error, nothing on standard
        output.
    """
    if arguments is None:  # this process is the command
        try:
            with unwound_by_sigterm():
                reopen_closed()
                quick_start.begin()
                return _run(sys.argv[1:])
        except Terminated:
            return _failed("terminated", NOT_REACHED)
    return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    """Run one command and tell how it ended."""
    try:
        status = _typer(list(arguments) or ["--help"], prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _failed("interrupted", NOT_REACHED)
    except BrokenPipeError:  # whoever read our output has gone
        drop_output()
        return NOT_REACHED
    except MemoryError:
        return _failed(OUT_OF_MEMORY, BAD_INPUT)
    except OSError as error:
        drop_output()  # which may be what failed
        place = f"{error.filename}: " if error.filename else ""
        lost = isinstance(error, ConnectionError)  # of worker processes: no fault of what was given
        return _failed(f"{place}{error.strerror or error}", NOT_REACHED if lost else BAD_INPUT)
    except (ValueError, OwnCodeError) as error:
        return _failed(str(error), BAD_INPUT)
    except _WRONG_USE as error:
        return _failed(_wrong_use(error), BAD_INPUT)
    if isinstance(status, int) and status not in (DONE, NOT_REACHED, BAD_INPUT):
        return _failed("interrupted", NOT_REACHED)
    return status if isinstance(status, int) else DONE


def _failed(message: str, status: int) -> int:
    with suppress(OSError):  # nobody listens
        sys.stderr.write(f"{PROGRAM}: {in_one_line(message)}\n")
        sys.stderr.flush()
    return status


def _wrong_use(error: Any) -> str:
    """Put a usage error into our words: what came, and what is allowed."""
    command = getattr(getattr(error, "ctx", None), "command", None)
    option = getattr(error, "option_name", None)
    if option and type(error).__name__ == "NoSuchOption" and command is not None:
        known = [name for parameter in command.params for name in parameter.opts if name.startswith("--")]
        return unknown("option", option, [*known, "--help"])
    text = str(error.format_message()).strip().rstrip(".")
    own_help = f"; see {PROGRAM} {command.name} --help" if command is not None else ""
    return f"{text[:1].lower()}{text[1:]}{own_help}"
