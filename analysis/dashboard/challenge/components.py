"""The challenge's own Vue components. Each takes its data as one JSON string and reports what its visitor does."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

import solara

from meanwatt.analysis.dashboard.shared.components import Event


@solara.component_vue("vue/challenge_bar.vue")
def ChallengeBar(
    payload: str,
    event_choose: Event | None = None,
    event_cancel: Event | None = None,
    event_resume: Event | None = None,
) -> None:
    """Title, scenario, and how far the computation is."""


@solara.component_vue("vue/score_card.vue")
def ScoreCard(payload: str, event_reveal: Event | None = None) -> None:
    """Three scores, their mean, a hint."""


@solara.component_vue("vue/board_card.vue")
def BoardCard(
    payload: str,
    event_open: Event | None = None,
    event_find: Event | None = None,
    event_join: Event | None = None,
    event_come_back: Event | None = None,
) -> None:
    """The board: who plays, and who stands where."""


@solara.component_vue("vue/try_list.vue")
def TryList(payload: str, event_recall: Event | None = None, event_clear: Event | None = None) -> None:
    """The attempts. The browser keeps them, too."""
