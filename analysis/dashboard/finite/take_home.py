"""Files of a study of finite markets that a visitor takes home."""

from dataclasses import replace

from meanwatt.analysis.dashboard.finite.choice import DAYS, KEYS, Choice, query
from meanwatt.analysis.dashboard.finite.drawing import CHECKS, sample_of
from meanwatt.analysis.dashboard.finite.drawn import Drawn
from meanwatt.analysis.dashboard.shared.csv_text import csv_text
from meanwatt.analysis.validation.report import report_html
from meanwatt.analysis.validation.result import MemoryFloor


def csv_of(choice: Choice, drawn: Drawn) -> str:
    """Every market drawn so far, a row each. RMS net load error: of the mean net load per home, rounding apart. [kW]"""
    head = {
        **{key: getattr(choice, key) for key in KEYS},
        "link": f"?{query(choice)}",
        "days": DAYS,
        "outcome": drawn.solution.equilibrium.outcome.value,
    }
    rows = [
        (count, number, f"{error:.9g}", f"{law:.9g}")
        for count, errors, law in zip(drawn.households, drawn.errors_kw, drawn.law_kw, strict=True)
        for number, error in enumerate(errors)
    ]
    return csv_text(head, ("households", "replication", "rms_net_load_error_kw", "expected_rms_kw"), rows)


def report_of(choice: Choice, drawn: Drawn, floors: tuple[MemoryFloor, ...] = ()) -> str:
    """The report of ``meanwatt validate``, byte for byte; empty before the study has ended.

    Parameters
    ----------
    floors
        Those of ``--memory``, if they were asked for.
    """
    if drawn.study is None or drawn.exact is None:
        return ""
    found, sample = drawn.exact, sample_of(choice)
    scenario = found.economy.scenario
    shown = {
        "scenario": scenario.name,
        "title": scenario.title,
        "tariff": found.tariff.name,
        "seed": choice.seed,
        "message": found.message,
    }
    settings = {
        "scenario": choice.scenario,
        "tariff": choice.tariff,
        "set": [],
        "households": sample.households,
        "replications": sample.replications,
        "days": sample.days,
        "seed": sample.seed,
        "checks": CHECKS,
        "memory": tuple(floor.memory for floor in floors),
    }
    manifest = {"settings": settings, "seed": choice.seed, "scenario": scenario.model_dump(mode="json")}
    return report_html(replace(drawn.study, memory=floors), shown, manifest)
