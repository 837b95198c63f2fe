"""The sweep of ``meanwatt hosting`` for a page: every level is told as it is known; what is found, visitors share.

A sweep takes a core for a quarter of a minute and more, so there is one at a time in the whole server. Who asks for
tariffs and levels that have been looked at finds them; who stops goes on where he stopped.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from meanwatt.agents.numerics.kernel_cache import is_first_start
from meanwatt.agents.numerics.randomness import key_from
from meanwatt.analysis.dashboard.hosting.choice import OWN_FEEDER, WITHOUT, Choice
from meanwatt.analysis.dashboard.hosting.swept import Swept
from meanwatt.analysis.dashboard.leader.choice import Choice as Search
from meanwatt.analysis.dashboard.leader.searching import searched
from meanwatt.analysis.dashboard.shared.memo import Memo
from meanwatt.analysis.dashboard.shared.solved import COMPILE_SECONDS, Work
from meanwatt.analysis.dashboard.shared.time_left import TimeLeft
from meanwatt.analysis.dashboard.shared.turns import Turns
from meanwatt.analysis.design.design import tariff_table
from meanwatt.analysis.hosting.adoption import Swept as What
from meanwatt.analysis.hosting.adoption import adoption_levels
from meanwatt.analysis.hosting.sweep import Cell, HostingPlan, sweep
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.progress.watch import Cancelled, Progress, Watch
from meanwatt.model.scenario.economy import build_rate_classes
from meanwatt.model.scenario.loading import Scenario, load_scenario, with_tariff
from meanwatt.model.scenario.reading import tariff_of_text
from meanwatt.model.scenario.tariff_file import TariffTable
from meanwatt.model.scenario.toml_text import toml_text

DESIGNED = "designed"
"""Name of the tariff that the commission would post."""
WAITING = "Waiting: {line}"
SWEEPING = "Under {stage}{left}"
SEARCHING = "The commission's tariff is searched for: {text}"
NOT_FOUND = "the commission finds no tariff that covers the cost; look at the others alone"

Show = Callable[[Swept], None]
Tell = Callable[[Work], None]
Asked = Callable[[], bool]


class Line(NamedTuple):
    """One tariff of a sweep: what its cells depend on."""

    choice: Choice
    tariff: str
    batteries: bool


_one_at_a_time = Turns()
_known: Memo[Line, tuple[Cell, ...]] = Memo(120)


def swept(choice: Choice, *, show: Show, progress: Tell, cancelled: Asked) -> Swept | None:
    """Sweep a choice, or find it swept; None if cancelled.

    Parameters
    ----------
    show
        Told what is known, after every level of every tariff.

    Raises
    ------
    ValueError
        In one line, if what is chosen cannot be swept, or the commission finds no tariff.
    """
    if is_first_start():
        progress(Work(text=f"First start: compiling, about {COMPILE_SECONDS} s", fraction=0.0))
    found = _swept(choice, plan_of(choice), show, _part(progress, 0.0, 0.4 if choice.designed else 1.0), cancelled)
    if found is None or not choice.designed:
        return found
    table = designed_tariff(choice.scenario, _part(progress, 0.4, 0.7), cancelled)
    if table is None:
        return None
    return _swept(choice, plan_of(choice, table), show, _part(progress, 0.7, 1.0), cancelled)


def plan_of(choice: Choice, designed: TariffTable | None = None) -> HostingPlan:
    """What ``meanwatt hosting`` sweeps for a choice; ``ValueError`` in one line if that cannot be.

    Parameters
    ----------
    designed
        The tariff that the commission would post, once it is known.
    """
    own = choice.settings.preset().feeder
    if own.branches and choice.feeder not in (OWN_FEEDER, own.name):
        raise ValueError(
            f"scenario {choice.scenario} has feeder.branches ({', '.join(own.branches)}) of its own feeder {own.name},"
            f" which {choice.feeder} does not have; choose the scenario's own under Feeder"
        )
    scenarios = {}
    for batteries in choice.with_batteries:
        for tariff in (*choice.tariffs, *([] if designed is None else [DESIGNED])):
            scenario = _scenario(choice, tariff, designed, batteries=batteries)
            build_rate_classes(scenario)  # components are refused before any work
            scenarios[f"{tariff}{'' if batteries else WITHOUT}"] = scenario
    first = next(iter(scenarios.values()))
    peak_kw = build_located_economy(first).peak_reference_kw
    return HostingPlan(
        feeder=scenario_feeder(first.feeder, peak_reference_kw=peak_kw),
        scenarios=scenarios,
        levels=adoption_levels(choice.step / 100),
        placements=choice.placements,
        key=key_from(choice.seed),
        swept=What(choice.sweep),
    )


def designed_tariff(scenario: str, progress: Tell, cancelled: Asked) -> TariffTable | None:
    """The tariff that the page *Leader* finds for the commission, as a file holds it; None if cancelled.

    Raises
    ------
    ValueError
        In one line, if there is none that the commission may post.
    """

    def told(work: Work) -> None:
        progress(Work(text=SEARCHING.format(text=work.text), fraction=work.fraction))

    seen = searched(Search(scenario=scenario), show=lambda _: None, progress=told, cancelled=cancelled)
    if seen is None or seen.stopped:
        return None
    if seen.best is None:
        raise ValueError(NOT_FOUND)
    best = seen.best.equilibrium
    return tariff_of_text(toml_text(tariff_table(best.tariff, best.economy)))


def _scenario(choice: Choice, tariff: str, designed: TariffTable | None, *, batteries: bool) -> Scenario:
    """The scenario with its feeder, and one tariff for everybody or its rate classes."""
    preset = choice.settings.preset()
    if tariff == DESIGNED and designed is not None:
        named = with_tariff(preset, DESIGNED, designed)
    else:
        named = choice.under(tariff)
    return load_scenario(named, overrides=choice.changes | ({} if batteries else {"battery_share_scale": 0.0}))


def _swept(choice: Choice, plan: HostingPlan, show: Show, progress: Tell, cancelled: Asked) -> Swept | None:
    """Look at what is not known yet of a plan, level by level, alone in the server."""
    shared = replace(choice, designed=False, batteries="town", beside="")
    lines = {name: Line(shared, name.removesuffix(WITHOUT), not name.endswith(WITHOUT)) for name in plan.scenarios}

    def so_far() -> Swept:
        return Swept(plan=plan, cells=tuple(cell for line in lines.values() for cell in _known.get(line) or ()))

    def still_waits() -> bool:
        show(so_far())  # somebody else may be looking at the same
        return cancelled()

    show(so_far())
    if so_far().whole:
        return so_far()
    with _turn(progress, still_waits):
        try:
            for _ in _levels(plan, lines, _told(plan, lines, progress), cancelled):
                show(so_far())
        except Cancelled:
            return None
    return so_far() if so_far().whole else None


def _levels(
    plan: HostingPlan, lines: Mapping[str, Line], told: Callable[[str, Progress], None], cancelled: Asked
) -> Iterator[None]:
    """Look at every tariff at one level after the other; each is kept at once."""

    def swept_alone(name: str) -> Iterator[Cell]:
        alone = replace(plan, scenarios={name: plan.scenarios[name]})
        watch = Watch(progress=lambda report: told(name, report), cancelled=cancelled)
        return sweep(alone, _known.get(lines[name]) or (), watch)

    sweeps = {name: swept_alone(name) for name in lines}
    for level in range(len(plan.levels)):
        for name, line in lines.items():
            if cancelled():
                raise Cancelled
            if len(_known.get(line) or ()) == level:
                _known.put(line, (*(_known.get(line) or ()), next(sweeps[name])))
                yield


def _told(plan: HostingPlan, lines: Mapping[str, Line], progress: Tell) -> Callable[[str, Progress], None]:
    """What a sweep of one tariff says, as the progress of all of them."""
    left, levels = TimeLeft(), len(plan.levels)

    def told(name: str, report: Progress) -> None:
        known = {other: len(_known.get(line) or ()) for other, line in lines.items()}
        within = (report.fraction or 0.0) * levels - known[name]
        share = (sum(known.values()) + min(max(within, 0.0), 1.0)) / (levels * len(lines))
        progress(Work(text=SWEEPING.format(stage=report.stage, left=left.said("sweep", share)), fraction=share))

    return told


@contextmanager
def _turn(progress: Tell, cancelled: Asked) -> Iterator[None]:
    """Wait, and say so, until nothing else is swept."""
    with _one_at_a_time.turn(cancelled, lambda line: progress(Work(text=WAITING.format(line=line), fraction=0.0))):
        yield


def _part(progress: Tell, low: float, high: float) -> Tell:
    """Tell of a part of the work that fills the progress from ``low`` to ``high``."""
    return lambda work: progress(Work(text=work.text, fraction=low + (high - low) * work.fraction))
