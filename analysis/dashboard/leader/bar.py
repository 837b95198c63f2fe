"""The bar of the page of the leader: what a visitor chooses, how far the search is, how it ended."""

from typing import Any

from meanwatt.analysis.dashboard.leader import words
from meanwatt.analysis.dashboard.leader.choice import CAP, CONCEPTS, EVALUATIONS, MOST_EVALUATIONS, SEARCHED, Choice
from meanwatt.analysis.dashboard.leader.sighted import Sighted
from meanwatt.analysis.dashboard.shared.choices import scenario_options
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.leader.registry import find, names
from meanwatt.model.scenario.ranges import POSITIVE_PRICE, WEIGHT

SLIDER_STEPS = 100


def bar_json(choice: Choice, work: Work | None, seen: Sighted | None) -> str:
    """JSON of the bar with the choices."""
    ended = seen is not None and seen.design is not None and not seen.stopped
    return to_json(
        {
            "title": words.TITLE,
            "sentence": words.sentence(choice),
            "note": words.OPENS_ON if choice.scenario == SEARCHED else "",
            "choices": [
                {"key": "scenario", "label": "Scenario", "value": choice.scenario, "options": scenario_options()},
                {
                    "key": "leader",
                    "label": "Leader",
                    "help": help_link("leader"),
                    "value": choice.leader,
                    "options": [{"value": name, "label": words.leader_label(find(name).called)} for name in names()],
                },
                {
                    "key": "concept",
                    "label": "Concept",
                    "help": help_link("commitment"),
                    "value": choice.concept,
                    "options": [{"value": name, "label": name} for name in CONCEPTS],
                },
            ],
            "weights": [*_weights(choice), *_cap(choice)],
            "evaluations": {
                "key": EVALUATIONS,
                "label": "Most tariffs per start" if choice.commits else "Rounds",
                "help": help_link("read-search" if choice.commits else "commitment"),
                "value": choice.tariffs,
                "low": 1,
                "high": MOST_EVALUATIONS,
            },
            "work": None if work is None else {"text": work.text, "fraction": round(work.fraction, 3)},
            "searching": choice.run and work is not None,
            "search": work is None,
            "ended": ended,
            "verdict": words.UNASKED if not choice.run else "" if seen is None else words.verdict(seen, choice),
        }
    )


def _weights(choice: Choice) -> list[dict[str, Any]]:
    """Sliders of the weights; one beyond the end of its slider moves the end."""
    made = []
    for name in choice.objective.weights:
        label, unit, end = words.weight_label(name)
        value = choice.weight(name)
        high = max(end, value)
        made.append(
            {
                "key": name,
                "label": label,
                "unit": unit,
                "help": help_link("weights"),
                "value": value,
                "low": 0,
                "high": high,
                "most": WEIGHT.high,
                "step": end / SLIDER_STEPS,
            }
        )
    return made


def _cap(choice: Choice) -> list[dict[str, Any]]:
    cap = choice.cap_usd_per_kwh
    if cap is None:
        return []
    end = round(2 * choice.settings.preset().reference_price_usd_per_kwh, 2)
    return [
        {
            "key": CAP,
            "label": "Price cap",
            "unit": "$/kWh",
            "help": help_link("price-cap"),
            "value": round(cap, 6),
            "low": 0.01,
            "high": max(end, cap),
            "most": POSITIVE_PRICE.high,
            "step": 0.01,
        }
    ]
