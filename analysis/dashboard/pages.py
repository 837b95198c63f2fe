"""The door of the dashboard: its pages. Solara's routes and the navigation above every page are made from the list."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import solara

from meanwatt.analysis.dashboard.bills.page import Bills
from meanwatt.analysis.dashboard.challenge.page import Challenge
from meanwatt.analysis.dashboard.compare.page import Compare
from meanwatt.analysis.dashboard.finite.page import Finite
from meanwatt.analysis.dashboard.front.page import Front
from meanwatt.analysis.dashboard.help.page import Help
from meanwatt.analysis.dashboard.hosting.page import Hosting
from meanwatt.analysis.dashboard.leader.page import Leader
from meanwatt.analysis.dashboard.learners.page import Learners
from meanwatt.analysis.dashboard.lessons.page import Lessons
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.take_away import described
from meanwatt.analysis.dashboard.take_away.components import TakeAway
from meanwatt.analysis.dashboard.take_away.files import STYLE as TAKE_AWAY_STYLE
from meanwatt.analysis.dashboard.theory.page import Theory
from meanwatt.analysis.dashboard.tour.components import Tour

STYLES = (Path(__file__).with_name("style.css"), TAKE_AWAY_STYLE, Path(__file__).with_name("projector.css"))
PLAIN_PAGES = "MEANWATT_PLAIN_PAGES"
"""Set in the environment by a server that answers pages without a component, too; others do not list them."""
ROUTE = re.compile(r"/([a-z0-9]+(-[a-z0-9]+)*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the dashboard.

    Attributes
    ----------
    route
        Where it is found: ``/``, or one word such as ``/compare``.
    title, summary
        Its name in the navigation, and one sentence about it.
    component
        A Solara component without arguments. It is drawn when a visitor comes and ended when he leaves, and reads its
        settings from ``solara.use_router().search``. None for a page that Meanwatt's own server answers without Solara.
    describe
        Reads the settings off an address that stand in every file taken from the page; None if it has none.
    """

    route: str
    title: str
    summary: str
    component: Callable[[], solara.Element] | None
    describe: described.Describe | None = None

    def __post_init__(self) -> None:
        """Check the route."""
        if not ROUTE.fullmatch(self.route):
            raise ValueError(f"route is {self.route!r}; give '/' or one word after it, such as '/compare'")


PAGES = (
    Page(
        route="/",
        title="Market",
        summary="Homes answer a tariff day by day, beside the mean field.",
        component=Front,
        describe=described.describe_market,
    ),
    Page(
        route="/compare",
        title="Compare",
        summary="Two tariffs of one scenario side by side: key numbers, who pays whom, the mean day.",
        component=Compare,
        describe=described.describe_compare,
    ),
    Page(
        route="/bills",
        title="Bills",
        summary="One home's statement by month under a tariff as filed: a home of a preset, or your own meter.",
        component=Bills,
        describe=described.describe_bills,
    ),
    Page(
        route="/finite",
        title="Finite market",
        summary="Markets of 10 to 3,000 homes are drawn beside the mean field, and judged by what theory says.",
        component=Finite,
        describe=described.describe_finite,
    ),
    Page(
        route="/hosting",
        title="Hosting",
        summary="Solar spreads on a feeder, at random, many times: how much fits, under each tariff.",
        component=Hosting,
        describe=described.describe_hosting,
    ),
    Page(
        route="/leader",
        title="Leader",
        summary="The tariff that a commission or a utility would post is searched for, and every tariff tried is seen.",
        component=Leader,
        describe=described.describe_leader,
    ),
    Page(
        route="/theory",
        title="Theory lab",
        summary="Games of a leader and a follower that fit on a page, solved, and their theorems drawn.",
        component=Theory,
        describe=described.describe_theory,
    ),
    Page(
        route="/learners",
        title="Learners",
        summary="Homes that are told nothing learn day by day: do they reach the equilibrium? A herd, and its cures.",
        component=Learners,
        describe=described.describe_learners,
    ),
    Page(
        route="/lessons",
        title="Lessons",
        summary="Eight lessons for a classroom: predict, then see what the program computes.",
        component=Lessons,
        describe=described.describe_lessons,
    ),
    Page(
        route="/challenge",
        title="Challenge",
        summary="You are the commission: draw a tariff, and see how it scores beside the best the program finds.",
        component=Challenge,
        describe=described.describe_challenge,
    ),
    Page(
        route="/class",
        title="Class market",
        summary="A class plays: each student is one household of a market, and plans its battery day by day.",
        component=None,
    ),
    Page(
        route="/help",
        title="Help",
        summary="What this is, how the figures are read, and what the words mean.",
        component=Help,
    ),
)
"""The pages, in the order of the navigation; the first is the one that opens."""


def routes_of(pages: Sequence[Page]) -> list[solara.Route]:
    """Make Solara's routes of pages.

    Raises
    ------
    ValueError
        In one line, if two pages have one route or none opens first.
    """
    names = [page.route for page in pages]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two pages have the route {twice[0]!r}; give each its own")
    if "/" not in names:
        raise ValueError(f"no page has the route '/'; give it to the one that opens first, such as {pages[0].title!r}")
    layout = partial(Layout, tuple(pages))
    return [
        solara.Route(
            path=page.route.removeprefix("/") or "/",
            component=page.component,
            label=f"Meanwatt: {page.title}",
            layout=layout if page.route == "/" else None,  # Solara lays it around its siblings, too
        )
        for page in pages
        if page.component is not None
    ]


@solara.component_vue("vue/navigation.vue")
def Navigation(payload: str) -> None:
    """Links to the pages, the colours, and the link to what is seen; it paints the page and follows its links."""


@solara.component_vue("vue/projector.vue")
def Projector() -> None:
    """Charts and key numbers alone, in large type: a button, the key P, and ``?projector``, kept in the browser."""


@solara.component_vue("vue/lost.vue")
def Lost() -> None:
    """One sentence and a button, in the place of Solara's own, while the server does not answer."""


@solara.component
def Layout(pages: Sequence[Page], children: list[solara.Element] = []) -> None:  # noqa: B006 - Solara reads the default
    """Lay style and navigation around a page."""
    for style in STYLES:
        solara.Style(style)
    here = "/" + solara.use_router().parts[0]
    listed = [
        {"route": page.route, "title": page.title, "summary": page.summary, "plain": page.component is None}
        for page in pages
        if page.component is not None or PLAIN_PAGES in os.environ
    ]
    with solara.v.Html(tag="div", class_="mw"):
        Lost()
        Projector()
        Navigation(payload=to_json({"pages": listed, "here": here}))
        TakeAway({page.route: (page.title, page.describe) for page in pages})
        solara.v.Html(tag="div", class_="mw-below", children=children)
        Tour()


routes = routes_of(PAGES)
"""What Solara looks for in the module that it serves."""
