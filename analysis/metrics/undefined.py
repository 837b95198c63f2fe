"""Which metrics are undefined, and why: a sentence for every null that nobody asked for."""

from collections.abc import Iterator, Sequence

from meanwatt.analysis.metrics.metrics import Metrics


def undefined_messages(metrics: Metrics, *, of_bills: Sequence[str] = ()) -> Iterator[str]:
    """Say why metrics are undefined.

    Parameters
    ----------
    of_bills
        Other keys of the result that are null where Gini and Suits index are.
    """
    if metrics.gini is None or metrics.suits is None:
        yield _null(
            ["metrics.gini", "metrics.suits", *of_bills], "the mean bill is 0 or less, of which nobody has a share"
        )
    if metrics.imv is not None and metrics.imv_log is None:
        yield _null(["metrics.imv_log"], "a wholesale price is 0 or less, which has no logarithm")
    if metrics.peak_to_average is None:
        yield _null(["metrics.peak_to_average", "metrics.load_factor"], "the mean load is 0 or less")
    empty = [f"metrics.burden.{group}" for group, value in metrics.burden.items() if value is None]
    if empty:
        yield _null(empty, "nobody is in this income group" if len(empty) == 1 else "nobody is in these income groups")


def _null(keys: Sequence[str], why: str) -> str:
    *others, last = keys
    named = f"{', '.join(others)} and {last} are" if others else f"{last} is"
    return f"{named} null: {why}."
