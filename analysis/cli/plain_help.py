"""Commands with help in this program's words: an option's metavar says what it takes, and a flag takes nothing."""

from typing import Any

from typer.core import TyperCommand, TyperGroup

from meanwatt.analysis.cli.written_over import require_not_read


class PlainCommand(TyperCommand):
    """A command whose help names no types of the programming language, and that writes over nothing it reads."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Give the parameters, for parsing and for help."""
        return [_plain(parameter) for parameter in super().get_params(ctx)]

    def invoke(self, ctx: Any) -> Any:
        """Run the command, unless it would write over a file that it reads."""
        require_not_read(ctx.params, frozenset(one.name for one in self.params if one.param_type_name == "option"))
        return super().invoke(ctx)


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
