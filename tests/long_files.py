"""Test files that take longest, begun first, so that at the end no process is left alone with one."""

from typing import Final

LONG_FILES: Final = (
    "model/mean_field/test_equilibrium.py",
    "analysis/emergence/test_phenomena.py",
    "browser/test_first_page.py",
    "analysis/study/test_study_faults.py",
    "model/mean_field/solvers/test_revenue_recovery.py",
    "browser/test_pages.py",
    "analysis/simulation/test_divided.py",
    "browser/test_reading.py",
    "browser/test_site_on_disk.py",
    "test_site.py",
    "analysis/learning/test_learning.py",
    "model/mean_field/solvers/test_joint_recovery.py",
    "analysis/validation/test_validation.py",
    "model/mean_field/leader/test_commitment.py",
    "analysis/pareto/test_pareto.py",
    "analysis/simulation/test_workers.py",
    "agents/numerics/test_kernel_cache.py",
    "test_strangers_folder.py",
    "test_tutorial_pages.py",
    "test_extend_pages.py",
    "test_readme.py",
    "test_bounds.py",
    "test_theorems.py",
    "analysis/notebook/test_notebook.py",
    "analysis/dashboard/test_dashboard_address.py",
    "analysis/dashboard/test_dashboard_engine.py",
    "model/market/test_market_mesa.py",
    "analysis/design/test_design.py",
    "analysis/cli/test_cli.py",
    "model/scenario/test_presets.py",
    "agents/household/test_best_response.py",
    "analysis/reference/test_file_keys.py",
)
"""Below `tests/`. ``pytest --fast`` leaves them out."""
