"""Progress and cancellation of a long computation."""

from collections.abc import Callable
from dataclasses import dataclass, field


class Cancelled(Exception):  # noqa: N818 - a request, not an error
    """Raised inside a computation when its owner asked it to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a computation stands.

    Attributes
    ----------
    stage
        What is being done, in words.
    evaluations
        Times the population was asked so far.
    residual_usd_per_kwh
        Distance to the fixed point at the last evaluation.
    fraction
        Estimated share done, in [0, 1]; None where nobody can tell.
    """

    stage: str
    evaluations: int
    residual_usd_per_kwh: float | None = None
    fraction: float | None = None

    @property
    def text(self) -> str:
        """The stage and, where there is one, the residual."""
        if not self.residual_usd_per_kwh:
            return self.stage
        return f"{self.stage}, residual {self.residual_usd_per_kwh:.0e} USD/kWh"


@dataclass(slots=True, kw_only=True)
class Watch:
    """Counts evaluations, hands progress to whoever wants it, and stops on request."""

    progress: Callable[[Progress], None] | None = None
    cancelled: Callable[[], bool] | None = None
    evaluations: int = 0
    stage: str = field(default="followers' equilibrium")

    def fresh(self) -> "Watch":
        """The same listener for another computation: it counts from zero."""
        return Watch(progress=self.progress, cancelled=self.cancelled)

    def silent(self) -> "Watch":
        """A listener that is told nothing and asks alike to stop."""
        return Watch(cancelled=self.cancelled)

    def tick(self, residual: float | None = None, fraction: float | None = None) -> None:
        """Count one evaluation; raise ``Cancelled`` if asked to stop."""
        self.evaluations += 1
        if self.progress is not None:
            self.progress(
                Progress(
                    stage=self.stage,
                    evaluations=self.evaluations,
                    residual_usd_per_kwh=residual,
                    fraction=fraction,
                )
            )
        self.check()

    def report(self, stage: str, fraction: float | None = None) -> None:
        """Hand on what is being done and, where that is known, the share done in [0, 1]."""
        if self.progress is not None:
            self.progress(Progress(stage=stage, evaluations=self.evaluations, fraction=fraction))

    @property
    def stopped(self) -> bool:
        """Whether somebody asks to stop."""
        return self.cancelled is not None and self.cancelled()

    def check(self) -> None:
        """Raise ``Cancelled`` if asked to stop; cheap, and from any thread."""
        if self.stopped:
            raise Cancelled
