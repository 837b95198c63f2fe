"""``meanwatt export``: the mean-field game and its solution as plain arrays in one .npz file."""

from pathlib import Path
from typing import Annotated

import typer

from meanwatt.analysis.cli.options import Json, Scenario, Set, TariffOrClass
from meanwatt.analysis.cli.watching import watched
from meanwatt.model.scenario.counted import counted


def export(
    scenario: Scenario,
    *,
    to: Annotated[str, typer.Option(metavar="FILE.npz", help="File to write.", show_default=False)],
    tariff: TariffOrClass = None,
    set: Set = None,
    json: Json = False,
) -> int:
    """Write the mean-field game and its solution as plain arrays."""
    file = Path(to)
    if file.suffix != ".npz":
        raise ValueError(f"--to is {to!r}; give a file name that ends in .npz, e.g. {file.stem or 'game'}.npz")
    from meanwatt.analysis.output.result_files import require_free_file

    require_free_file("--to", file)
    with watched(quiet=json) as work:
        from meanwatt.analysis.cli.inputs import read
        from meanwatt.analysis.cli.show import print_json, say, say_notes, warn
        from meanwatt.analysis.output.composed_export import composed_arrays
        from meanwatt.analysis.output.export import game_arrays, write_arrays
        from meanwatt.model.mean_field.components.component_messages import component_messages
        from meanwatt.model.mean_field.components.solving import solve_composed
        from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
        from meanwatt.model.scenario.messages import joined

        inputs = read(scenario, tariff, set, classes=True, components=True, branches=True, envelopes=True)
        composed = None
        if inputs.tariff.has_components:
            composed = solve_composed(inputs.economy, inputs.tariff, certify=False, watch=work.watch)
            found = composed.equilibrium
        else:
            found = solve_equilibrium(inputs.economy, inputs.tariff, certify=False, watch=work.watch)
    messages = joined(found.messages, () if composed is None else component_messages(composed))
    shapes: dict[str, list[int]] = {}
    if found.outcome is not Outcome.CANCELLED:
        arrays = game_arrays(found) if composed is None else composed_arrays(composed)
        write_arrays(file, arrays)
        shapes = {name: list(array.shape) for name, array in arrays.items()}
    if json:
        print_json(
            {
                "file": str(file) if shapes else None,
                "outcome": found.outcome,
                "message": found.message,
                "messages": messages,
                "residual_usd_per_kwh": found.residual_usd_per_kwh,
                "shapes": shapes,
                "settings": inputs.given,
            }
        )
    elif shapes:
        say(f"{file}: {counted(len(shapes), 'array')}, {file.stat().st_size / 1e6:.1f} MB. {found.message}")
        say_notes(messages)
    if found.outcome is not Outcome.CONVERGED:
        if not json:
            warn(found.message)
        return 1
    return 0
