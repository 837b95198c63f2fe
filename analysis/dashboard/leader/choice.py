"""What a visitor has searched for, and how it is written in an address."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from meanwatt.analysis.dashboard.shared.query import read_number, read_parts
from meanwatt.analysis.dashboard.shared.settings import Settings, own_tariff_of
from meanwatt.analysis.design.design import EVALUATIONS_PER_START
from meanwatt.analysis.leader.leader_spec import LeaderSpec, leader_spec_of
from meanwatt.analysis.leader.objective import Objective
from meanwatt.analysis.leader.registry import DEFAULT, find
from meanwatt.model.mean_field.leader.concepts import ROUNDS
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.ranges import POSITIVE_PRICE, WEIGHT

NAMES = ("scenario", "leader", "concept")
"""Parts of an address that decide what others may be."""
CAP, EVALUATIONS, RUN = "price_cap", "evaluations", "run"
SEARCHED = "textbook"
"""The scenario that the page opens on: a search there takes seconds, on the others minutes."""
CONCEPTS = {"commitment": EVALUATIONS_PER_START, "feedback": ROUNDS, "alternating": ROUNDS}
"""How a leader may move first, and how many tariffs it tries, as ``meanwatt design --method`` has them: from each start
at most, or one a round."""
MOST_EVALUATIONS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A leader's search in one scenario: the arguments of ``meanwatt design``.

    Attributes
    ----------
    scenario
        Name of a preset.
    leader, concept
        Who posts the tariff, and what it counts on, one of `CONCEPTS`.
    weights
        Name and value of every weight of the objective that is not its own default, by name.
    price_cap_usd_per_kwh
        Cap on the import rate of a leader that takes one; None for its own. [USD/kWh]
    evaluations
        Tariffs tried at most; None for those of the concept.
    run
        Whether the search is asked for; without, the tariff in force alone is shown.
    """

    scenario: str = SEARCHED
    leader: str = DEFAULT
    concept: str = "commitment"
    weights: tuple[tuple[str, float], ...] = ()
    price_cap_usd_per_kwh: float | None = None
    evaluations: int | None = None
    run: bool = False

    def __post_init__(self) -> None:
        """Check names and ranges; ValueError in one line."""
        self.settings.single()
        definition = find(self.leader)
        if self.concept not in CONCEPTS:
            raise ValueError(unknown("concept", self.concept, CONCEPTS))
        if self.concept == "feedback" and not definition.is_money:
            raise ValueError(
                f"feedback counts what a day leaves behind in USD, and the objective of {definition.called} is in"
                f" {definition.unit}; choose commitment"
            )
        for name, value in self.weights:
            if name not in definition.weights:
                raise ValueError(unknown("weight", name, definition.weights))
            WEIGHT.require(value, name)
        plain = definition.weights
        kept = {name: value for name, value in self.weights if value != plain[name]}
        object.__setattr__(self, "weights", tuple(sorted(kept.items())))
        if self.price_cap_usd_per_kwh is not None:
            if definition.cap_over_reference is None:
                raise ValueError(f"{definition.called} has no price cap; leave {CAP} out")
            POSITIVE_PRICE.require(self.price_cap_usd_per_kwh, CAP)
        if self.evaluations is not None and not 1 <= self.evaluations <= MOST_EVALUATIONS:
            raise ValueError(f"{EVALUATIONS} is {self.evaluations}; give a whole number from 1 to {MOST_EVALUATIONS}")

    @property
    def settings(self) -> Settings:
        """The scenario with the tariff in force."""
        return Settings(scenario=self.scenario, tariff=own_tariff_of(self.scenario))

    @property
    def objective(self) -> Objective:
        """What the leader wants."""
        return find(self.leader)

    @property
    def commits(self) -> bool:
        """Whether the leader binds itself: then the best tariff tried counts, else the last."""
        return self.concept == "commitment"

    @property
    def search(self) -> "Choice":
        """The same, whether asked for or not: what a search depends on."""
        return replace(self, run=False)

    @property
    def tariffs(self) -> int:
        """Tariffs tried at most, see `CONCEPTS`."""
        return CONCEPTS[self.concept] if self.evaluations is None else self.evaluations

    @property
    def cap_usd_per_kwh(self) -> float | None:
        """The cap that holds; None where the leader has none. [USD/kWh]"""
        multiple = self.objective.cap_over_reference
        if multiple is None or self.price_cap_usd_per_kwh is not None:
            return self.price_cap_usd_per_kwh
        return multiple * self.settings.preset().reference_price_usd_per_kwh

    def weight(self, name: str) -> float:
        """A weight of the objective."""
        return dict(self.weights).get(name, self.objective.weights[name])

    def aims(self, economy: Economy) -> LeaderSpec:
        """The same for the search."""
        return leader_spec_of(economy, self.leader, dict(self.weights), self.price_cap_usd_per_kwh)

    def with_part(self, key: str, text: str) -> "Choice":
        """A copy with one part set as a visitor, or an address, writes it; ValueError in one line."""
        if key in NAMES:
            return replace(self, **{key: text})  # type: ignore[arg-type]
        if key == RUN:
            if text != "1":
                raise ValueError(f"{key} is {text[:40]!r}; give 1, or leave it out")
            return replace(self, run=True)
        if key == EVALUATIONS:
            if not text.isascii() or not text.isdigit() or len(text) > len(str(MOST_EVALUATIONS)):
                raise ValueError(f"{key} is {text[:40]!r}; give a whole number from 1 to {MOST_EVALUATIONS}")
            return replace(self, evaluations=int(text))
        if key == CAP:
            return replace(self, price_cap_usd_per_kwh=read_number(key, text, example=1))
        if key not in self.objective.weights:
            known = [*NAMES, *self.objective.weights, CAP, EVALUATIONS, RUN]
            raise ValueError(unknown("parameter", key, known))
        return replace(self, weights=tuple({**dict(self.weights), key: read_number(key, text, example=1)}.items()))


def _text(value: float) -> str:
    """A number without needless digits, and with all that are needed."""
    short = f"{value:.12g}"
    return short if float(short) == value else repr(value)


def query(choice: Choice, **asked: str) -> str:
    """Write a choice as the query of an address: what differs from the defaults, with parts asked for in their place.

    What is asked for need not be allowed: who reads the address says so. Weights and cap go with their leader.
    """
    plain = Choice()
    parts = {name: getattr(choice, name) for name in NAMES}
    parts |= {name: _text(value) for name, value in choice.weights}
    if choice.price_cap_usd_per_kwh is not None:
        parts[CAP] = _text(choice.price_cap_usd_per_kwh)
    if choice.evaluations is not None:
        parts[EVALUATIONS] = str(choice.evaluations)
    if choice.run:
        parts[RUN] = "1"
    if asked.get("leader", choice.leader) != choice.leader:
        parts = {name: parts[name] for name in NAMES}
    elif asked.get("concept", choice.concept) != choice.concept:
        parts.pop(EVALUATIONS, None)  # counted otherwise
    usual = {name: getattr(plain, name) for name in NAMES}
    return urlencode({key: value for key, value in {**parts, **asked}.items() if value != usual.get(key)})


def from_query(text: str) -> tuple[Choice, tuple[str, ...]]:
    """Read a choice from an address and list, in words, what could not be used; see `read_parts`."""
    return read_parts(text, Choice(), Choice.with_part, first=NAMES)
