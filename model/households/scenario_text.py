"""A scenario made of readings as a file for people: every table says where it comes from."""

from meanwatt.model.households.made_scenario import MadeScenario
from meanwatt.model.scenario.toml_text import toml_text


def scenario_text(made: MadeScenario, *, base: str, source: str) -> str:
    """TOML of a scenario, with a comment above each table.

    Parameters
    ----------
    base
        Where the rest comes from.
    source
        What was read.
    """
    plain = {key: value for key, value in made.table.items() if not isinstance(value, dict)}
    lines = [
        f"# Made of {_one_line(source)} by meanwatt import households.",
        f"# What no comment calls measured or computed is as in {_one_line(base)}.",
        "",
    ]
    for key, value in plain.items():
        said = f" # {_origin(key, made, base)}" if key in made.measured else ""
        lines.append(toml_text({key: value}).rstrip("\n") + said)
    tables = {key: toml_text({key: value}).strip("\n") for key, value in made.table.items() if isinstance(value, dict)}
    for key in sorted(tables, key=lambda key: tables[key].startswith("[")):  # those of one line stand at the top
        lines += ["", f"# {_origin(key, made, base)}", tables[key]]
    return "\n".join(lines) + "\n"


def _origin(key: str, made: MadeScenario, base: str) -> str:
    if key not in made.measured:
        return f"as in {_one_line(base)}"
    said = made.measured[key]
    return said if said.startswith("computed") else f"measured: {said}"


def _one_line(text: str) -> str:
    return "".join(mark if mark.isprintable() else "?" for mark in text)
