"""What a visitor asks for beside the search: Pareto surface, three concepts, cold households, a leader that learns."""

from collections.abc import Callable
from typing import Any, Final

from meanwatt.analysis.dashboard.leader.choice import Choice
from meanwatt.analysis.dashboard.leader.colder import cold_json, compared_cold
from meanwatt.analysis.dashboard.leader.concepts import Concepts, compared_concepts
from meanwatt.analysis.dashboard.leader.concepts_board import concept_rates_json, concepts_json
from meanwatt.analysis.dashboard.leader.metering import METHODS, Metered, metered
from meanwatt.analysis.dashboard.leader.metering_board import metered_json
from meanwatt.analysis.dashboard.leader.sighted import Sighted
from meanwatt.analysis.dashboard.leader.surfacing import Drawn, drawn_surface
from meanwatt.analysis.dashboard.leader.view import Beside
from meanwatt.analysis.dashboard.shared.aside import Aside, Host
from meanwatt.analysis.dashboard.shared.solution import Benchmark
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.design.cold import ColdComparison

DRAWING: Final = "The Pareto surface is being computed"
COMPARING: Final = "The concepts are being compared"
ASKING: Final = "Cold households are being asked"
METERING: Final = "The first tariff is being metered"
FIRST_BEST: Final = "All three are found; the first best is being computed, for the efficiency gap"


class Besides:
    """Every public method may be called from any thread and returns at once.

    Parameters
    ----------
    host
        The page.
    """

    def __init__(self, host: Host) -> None:
        self.surface = Aside[Drawn](host, "surface", "The Pareto surface could not be computed.")
        self.concepts = Aside[Concepts](host, "concepts", "The concepts could not be compared.")
        self.cold = Aside[ColdComparison](host, "cold", "Cold households could not be asked.")
        self.metered = Aside[Metered](host, "meters", "Nothing could be learned from the meters.")
        self._method = METHODS[0]

    def forget(self, *, same_leader: bool = False) -> list[str]:
        """Give up and drop all of it, but for what does not hang on the search if it is one of the same leader.

        Returns
        -------
        list of str
            What was under way, in words.
        """
        named: list[tuple[str, Aside[Any]]] = [
            ("the Pareto surface", self.surface),
            ("the question to cold households", self.cold),
        ]
        if not same_leader:
            named += [("the comparison of concepts", self.concepts), ("the learning from meters", self.metered)]
        return [called for called, aside in named if aside.forget()]

    def draw(self, choice: Choice, seen: Sighted, welfare: float) -> None:
        """Compute the Pareto surface; ``welfare`` is that of the first best. [USD per household-day]"""
        self.surface.begin(
            lambda _, progress, cancelled: drawn_surface(choice, seen, welfare, progress=progress, cancelled=cancelled),
            Work(text=DRAWING, fraction=0.0),
        )

    def compare(self, choice: Choice, first_best: Callable[[Callable[[], bool]], None] | None) -> None:
        """Search under every concept; then find the first best, which their efficiency gaps need, if it is not known.

        Parameters
        ----------
        first_best
            Finds it, given whether to stop; None if it is known.
        """

        def compute(
            show: Callable[[Concepts], None], progress: Callable[[Work], None], cancelled: Callable[[], bool]
        ) -> Concepts:
            found = compared_concepts(choice, show=show, progress=progress, cancelled=cancelled)
            if first_best is not None and not cancelled():
                progress(Work(text=FIRST_BEST, fraction=1.0))
                first_best(cancelled)
            return found

        self.concepts.begin(compute, Work(text=COMPARING, fraction=0.0))

    def ask_cold(self, choice: Choice, seen: Sighted) -> None:
        """Value the tariffs of a search that has ended among cold households."""
        self.cold.begin(
            lambda _, progress, cancelled: compared_cold(choice, seen, progress=progress, cancelled=cancelled),
            Work(text=ASKING, fraction=0.0),
        )

    def learn(self, choice: Choice, method: str) -> None:
        """Let a learner meter tariffs, unless one does."""
        if self.metered.work is not None:
            return
        self._method = method if method in METHODS else self._method
        self.metered.forget()
        self.metered.begin(
            lambda show, progress, cancelled: metered(
                choice, method, show=show, progress=progress, cancelled=cancelled
            ),
            Work(text=METERING, fraction=0.0),
        )

    def boards(self, choice: Choice, seen: Sighted, benchmark: Benchmark | None) -> Beside:
        """What is shown of it, or offered; the surface is the page's own."""
        ended = seen.design is not None and seen.best is not None
        return Beside(
            concepts=concepts_json(choice, self.concepts.found, benchmark, self.concepts.work),
            rates=concept_rates_json(self.concepts.found),
            cold=cold_json(choice, seen, self.cold.found, self.cold.work) if ended else "",
            metered=metered_json(self._method, self.metered.found, self.metered.work)
            if choice.objective.is_metered
            else "",
        )
