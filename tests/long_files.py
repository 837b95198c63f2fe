"""Test files that take longest, begun first, so that at the end no process is left alone with one.

The site, which is built without our kernels, comes among the first: elsewhere one process compiles and others wait.
"""

from collections.abc import Iterator, Sequence
from typing import Final

LONG_FILES: Final = (
    "browser/test_first_page.py",
    "browser/test_pages.py",
    "browser/test_every_page.py",
    "test_site.py",
    "browser/test_compare_edited.py",
    "browser/test_leader_searched.py",
    "browser/test_tour.py",
    "browser/test_lesson_pages.py",
    "browser/test_projector.py",
    "browser/test_lost_server.py",
    "browser/test_bills.py",
    "browser/test_tariff_travels.py",
    "browser/test_site_on_disk.py",
    "browser/test_live.py",
    "browser/test_homes.py",
    "browser/test_map_moved.py",
    "analysis/simulation/test_divided.py",
    "analysis/study/test_study_faults.py",
    "analysis/reference/test_file_keys.py",
    "analysis/notebook/test_notebook.py",
    "test_strangers_folder.py",
    "browser/test_keys_off.py",
    "browser/test_theory_stepped.py",
    "test_bounds.py",
    "browser/test_market_front.py",
    "browser/test_challenge_board.py",
    "analysis/learning/test_learning.py",
    "browser/test_market_told.py",
    "analysis/simulation/test_workers.py",
    "analysis/dashboard/test_leader_concepts.py",
    "browser/test_class_projected.py",
    "browser/test_class_market.py",
    "model/market/test_home_day.py",
    "analysis/dashboard/test_theory_numbers.py",
    "analysis/cli/test_cli_import_opendss.py",
    "analysis/adoption/test_adoption.py",
    "browser/test_reading.py",
    "analysis/dashboard/test_leader_searching.py",
    "analysis/design/test_written_tariffs.py",
    "model/mean_field/leader/test_commitment.py",
    "browser/test_learner_pages.py",
    "browser/test_map_by_phase.py",
    "analysis/learning/test_learning_market.py",
    "analysis/study/test_study.py",
    "analysis/dashboard/test_finite_drawing.py",
    "model/mean_field/leader/test_concepts.py",
    "browser/test_solaraviz_offline.py",
    "analysis/dashboard/test_leader_surface.py",
    "agents/numerics/test_kernel_cache.py",
    "analysis/design/test_cold_design.py",
    "oracles/test_equilibrium_against_cvxpy.py",
    "analysis/leader/test_objectives.py",
    "browser/test_take_away.py",
    "model/mean_field/leader/test_softmax_leader.py",
    "analysis/environments/test_environments_leader.py",
    "browser/test_challenge_drawn.py",
    "analysis/cli/test_cli.py",
    "analysis/tabular/test_solution.py",
    "analysis/learning/test_learning_books.py",
    "analysis/design/test_robust_design.py",
    "model/mean_field/solvers/test_joint_recovery.py",
    "model/mean_field/zero_temperature/test_mixed_plans.py",
    "analysis/feeder_map/test_feeder_geojson.py",
    "analysis/environments/test_environments.py",
    "analysis/dashboard/test_visits_leave_nothing.py",
    "analysis/dashboard/test_dashboard_engine.py",
    "analysis/learning/test_pilot.py",
    "analysis/emergence/test_phenomena.py",
    "analysis/design/test_design.py",
    "analysis/emergence/test_emergence.py",
    "analysis/validation/test_validation.py",
    "analysis/tabular/test_figures.py",
    "analysis/design/test_design_family.py",
    "analysis/test_glyphs.py",
    "model/mean_field/test_equilibrium.py",
    "analysis/dashboard/test_learners_herd.py",
    "model/mean_field/leader/test_window_search.py",
    "analysis/dashboard/test_dashboard_address.py",
    "model/billing/test_meter_years.py",
    "analysis/cli/test_cli_streams.py",
    "analysis/validation/test_leader_loss_page.py",
    "analysis/cli/test_cli_components.py",
    "analysis/lessons/test_lessons.py",
    "model/mean_field/solvers/test_revenue_recovery.py",
    "test_tutorial_pages.py",
    "analysis/cli/test_cli_game.py",
    "model/mean_field/test_one_day.py",
    "agents/household/test_best_response.py",
    "model/mean_field/population/test_ties.py",
    "model/mean_field/test_first_best.py",
    "model/mean_field/test_learning_dynamics.py",
    "model/tabular/test_stackelberg_games.py",
    "analysis/pareto/test_pareto.py",
    "analysis/environments/test_environments_prosumers.py",
    "model/tabular/test_mixed_commitment.py",
    "model/mean_field/test_certificates.py",
    "analysis/finite_game/test_deviation.py",
    "model/market/test_market_phases.py",
    "model/mean_field/leader/test_robust_commitment.py",
    "model/market/test_statements.py",
)
"""Below `tests/`, the longest first. ``pytest --fast`` leaves them out, also below a path that is given."""

WAITING: Final = "browser/"
"""How those begin that wait for a browser, and leave a core idle meanwhile."""


def in_turns(files: Sequence[str]) -> Iterator[str]:
    """Files that wait and files that compute by turns, each kind in its order: else all processes wait at once."""
    waiting = [name for name in files if name.startswith(WAITING)]
    computing = [name for name in files if not name.startswith(WAITING)]
    for place in range(max(len(waiting), len(computing))):
        yield from (*waiting[place : place + 1], *computing[place : place + 1])


QUICK: Final = (
    "agents",
    "model/scenario",
    "model/network",
    "model/tabular",
    "test_glossary.py",
    "test_layers.py",
    "test_theorems.py",
    "test_theory.py",
)
"""Below `tests/`. Where ``pytest --fast`` looks if no path is given: the maths, the reading of files, and names."""
