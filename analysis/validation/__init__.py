"""The finite market against the continuum: six checks with intervals, criteria stated beforehand, and a verdict."""

from meanwatt.analysis.validation.criteria import CHECKS
from meanwatt.analysis.validation.replication import Replication, composition_error_kw, midnight_levels, replicate
from meanwatt.analysis.validation.result import Validation
from meanwatt.analysis.validation.sample import Sample
from meanwatt.analysis.validation.study import validate
from meanwatt.analysis.validation.verdict import Finding, Status, verdict

__all__ = [
    "CHECKS",
    "Finding",
    "Replication",
    "Sample",
    "Status",
    "Validation",
    "composition_error_kw",
    "midnight_levels",
    "replicate",
    "validate",
    "verdict",
]
