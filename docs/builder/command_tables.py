"""The reference of the command line as Markdown: a heading, a usage and a table of options for every command."""

from collections.abc import Iterator

from builder.file_tables import cell
from meanwatt.analysis.cli.command_options import Command, CommandOption, commands

HEAD = "| option | default | meaning |\n|---|---|---|"


def command_tables(_: str) -> str:
    """Usage, arguments and options of every command."""
    return "\n".join(line for command in commands() for line in _command(command))


def _command(command: Command) -> Iterator[str]:
    yield from (f"## `{command.name}`", "", cell(command.meaning), "", "```text", command.usage, "```", "", HEAD)
    yield from (_row(option) for option in command.options)
    yield ""


def _row(option: CommandOption) -> str:
    written = ", ".join("`" + name.replace("|", r"\|") + "`" for name in option.written)
    default = "required" if option.required else f"`{option.default}`" if option.default else "–"
    return f"| {written} | {default} | {cell(option.meaning)} |"
