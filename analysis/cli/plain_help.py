"""Help in this program's words: what an option takes is said by its metavar, and a flag takes nothing."""

from typing import Any

from typer.core import TyperCommand, TyperGroup


class PlainCommand(TyperCommand):
    """A command whose help names no types of the programming language."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Give the parameters, for parsing and for help."""
        return [_plain(parameter) for parameter in super().get_params(ctx)]


class PlainGroup(TyperGroup):
    """The same for a group of commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Give the parameters, for parsing and for help."""
        return [_plain(parameter) for parameter in super().get_params(ctx)]


def _plain(parameter: Any) -> Any:
    if getattr(parameter, "is_flag", False):
        parameter.metavar = ""
    elif parameter.param_type_name == "argument":
        parameter.display_type_rich = _nothing  # newer versions of the library write <str> beside the name
    return parameter


def _nothing(**_: Any) -> None:
    return None
