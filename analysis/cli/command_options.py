"""Every command of the program with its arguments and options, as its parser has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOption:
    """An argument or option of a command.

    Attributes
    ----------
    written
        As it is given, such as ``--seed S`` or ``SCENARIO``; all its names.
    default
        What holds where it is left out; empty if nothing does.
    required
        Whether it must be given.
    repeated
        Whether it may be given several times.
    meaning
        One or two sentences.
    """

    written: tuple[str, ...]
    default: str
    required: bool
    repeated: bool
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command.

    Attributes
    ----------
    name
        What follows the program's name.
    usage
        How it is called.
    meaning
        What it does.
    options
        Arguments first, then options in the order of its help.
    """

    name: str
    usage: str
    meaning: str
    options: tuple[CommandOption, ...]


def commands() -> tuple[Command, ...]:
    """The commands in the order of the program's help."""
    from meanwatt.analysis.cli.entry import PROGRAM, command_group  # which loads all commands

    group = command_group()
    return tuple(_command(f"{PROGRAM} {name}", name, command) for name, command in group.commands.items())


def _command(called: str, name: str, command: Any) -> Command:
    parameters = command.params
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    options = [one for one in parameters if one.param_type_name != "argument"]
    words = [_shown(one) if one.required else f"[{_shown(one)}]" for one in arguments]
    needed = [f"{one.opts[0]} {one.metavar}" for one in options if one.required]
    return Command(
        name=name,
        usage=" ".join([called, *words, *needed, "[OPTIONS]"]),
        meaning=_sentence(command.help),
        options=tuple(_options([*arguments, *options])),
    )


def _options(parameters: list[Any]) -> Iterator[CommandOption]:
    for one in parameters:
        argument, flag = one.param_type_name == "argument", bool(getattr(one, "is_flag", False))
        value = "" if argument or flag else f" {one.metavar or one.name.upper()}"
        names = (_shown(one),) if argument else (*one.opts, *one.secondary_opts)
        yield CommandOption(
            written=tuple(f"{name}{value}" for name in names),
            default="" if one.default is None or flag or not str(one.default) else str(one.default),
            required=bool(one.required),
            repeated=bool(getattr(one, "multiple", False)),
            meaning=_sentence(getattr(one, "help", None)),
        )


def _shown(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())
