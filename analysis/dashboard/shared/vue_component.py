"""Components in Vue that share JavaScript.

What several components do alike lies in files of its own, each a part of a component named like the file:
``measured.js`` is a constant ``measured``. A component asks for parts by name, ``component_vue("vue/line.vue",
"measured")``, and takes them in by ``module.exports = mixed([measured], {…})``. Vue's own ``mixins`` do not reach it:
ipyvue builds the component from the parts of the object that it knows.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import solara

FOLDER: Final = Path(__file__).parent / "vue"
BEGIN: Final = "<script>\n"


def component_vue(vue_path: str, *parts: str) -> Callable[[Callable[..., None]], Callable[..., solara.Element]]:
    """Make a component as `solara.component_vue` does, with parts before its script.

    Parameters
    ----------
    vue_path
        The component's file, from the folder of the module that declares it.
    parts
        Names of files ``NAME.js`` beside the shared components.
    """

    def decorate(declared: Callable[..., None]) -> Callable[..., solara.Element]:
        component = solara.component_vue(vue_path)(declared)
        template = with_parts(Path(inspect.getfile(declared)).parent / vue_path, parts)

        def make(*args: Any, **kwargs: Any) -> solara.Element:
            return component(*args, template=template, **kwargs)

        return make

    return decorate


def with_parts(file: Path, parts: tuple[str, ...]) -> str:
    """Text of a component's file with its parts before its script."""
    before, begin, after = file.read_text(encoding="utf-8").partition(BEGIN)
    shared = "".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in ("mixed", *parts))
    return f"{before}{begin}{shared}{after}"
