"""What the page of finite markets shows at one instant, as frozen text: the page is a pure function of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meanwatt.analysis.dashboard.finite import words
from meanwatt.analysis.dashboard.finite.choice import MARKETS, Choice
from meanwatt.analysis.dashboard.finite.drawn import Drawn
from meanwatt.analysis.dashboard.shared.choices import scenario_options, tariff_options
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.page_view import PageView
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.settings import SEEDS
from meanwatt.analysis.dashboard.shared.solved import Work

if TYPE_CHECKING:
    from meanwatt.analysis.validation.exploitability import Exploitability


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures, as JSON for the components: two of `size_chart`, and `findings`; empty where there is none yet."""

    load: str
    gain: str
    findings: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View(PageView):
    """All that is on the page.

    Attributes
    ----------
    figures
        None before the tariff is solved, and after a failure.
    waiting
        Whether there are no figures yet, but will be.
    done
        Whether there is a result to take home.
    floors
        JSON of the table of floors, or of what asks for it; empty before there is a result.
    """

    figures: Figures | None
    waiting: bool
    done: bool
    floors: str = ""


def bar_json(choice: Choice, work: Work | None, drawn: Drawn | None) -> str:
    """JSON of the bar with the choices."""
    study = None if drawn is None else drawn.study
    whole = study is not None and study.exploit is not None
    return to_json(
        {
            "title": words.TITLE,
            "sentence": words.SENTENCE,
            "choices": [
                {"key": "scenario", "label": "Scenario", "value": choice.scenario, "options": scenario_options()},
                {
                    "key": "tariff",
                    "label": "Tariff",
                    "help": help_link("tariff"),
                    "value": choice.tariff,
                    "options": tariff_options(choice.settings.preset()),
                },
                {
                    "key": "markets",
                    "label": "Markets",
                    "help": help_link("replications"),
                    "value": str(choice.markets),
                    "options": [{"value": str(count), "label": words.markets_label(count)} for count in MARKETS],
                },
            ],
            "seed": {"value": choice.seed, "low": SEEDS[0], "high": SEEDS[1], "help": help_link("seed")},
            "work": None if work is None else {"text": work.text, "fraction": round(work.fraction, 3)},
            "stopped": work is None and not whole,
            "begin": words.BEGIN,
            "verdict": "" if study is None else study.verdict,
        }
    )


def figures(drawn: Drawn) -> Figures:
    """Write what is there."""
    return Figures(
        load=to_json(_load(drawn)),
        gain="" if drawn.study is None or drawn.study.exploit is None else to_json(_gain(drawn, drawn.study.exploit)),
        findings="" if drawn.study is None else to_json(_findings(drawn)),
    )


def _load(drawn: Drawn) -> dict[str, Any]:
    return {
        "key": "load",
        "title": "Distance of the net load from the mean field",
        "unit": "W per home",
        "help": help_link("read-sizes"),
        "note": words.NOTE,
        "caption": words.load_caption(drawn),
        "sizes": list(drawn.households),
        "dots": [[1000 * error for error in errors] for errors in drawn.errors_kw],
        "dots_name": "one market",
        "lines": [
            {
                "name": "independent homes",
                "style": "mean",
                "values": [1000 * law for law in drawn.law_kw],
                "help": help_link("sqrt-n"),
            }
        ],
        "digits": 1,
    }


def _gain(drawn: Drawn, found: "Exploitability") -> dict[str, Any]:
    lines = [
        {"name": "one home's gain", "style": "tonight", "values": [100 * value for value in found.values]},
        {
            "name": "endlessly many homes",
            "style": "mean",
            "values": [100 * found.limit] * len(found.values),
            "help": help_link("mean-field"),
        },
    ]
    return {
        "key": "gain",
        "title": "What one home gains by deviating",
        "unit": "cents a day",
        "help": help_link("read-deviation"),
        "note": words.GAIN_NOTE,
        "caption": words.gain_caption(drawn.households, found),
        "sizes": list(drawn.households),
        "dots": [],
        "dots_name": "",
        "lines": lines,
        "digits": 3,
    }


def _findings(drawn: Drawn) -> dict[str, Any]:
    assert drawn.study is not None
    return {
        "title": "Criteria, stated beforehand",
        "help": help_link("read-criteria"),
        "rows": [
            {
                "key": one.key,
                "title": one.title,
                "mark": words.MARKS[one.status],
                "kind": one.status.value.replace(" ", "-"),
                "status": one.status.value,
                "sentence": one.sentence,
                "criterion": one.criterion,
                "why": one.why,
            }
            for one in drawn.study.findings
        ],
    }
