"""What a survey says of the conventions of its files: each check with what was seen, and how to mend it.

Nothing is repaired. A check that finds nothing is ``ok``; ``look`` asks for a look; ``wrong`` says that a convention of
the format contradicts the file; ``none`` means that the file has nothing to check by.
"""

from meanwatt.model.households.check import Check
from meanwatt.model.households.clock_checks import CLOCK_CHECKS
from meanwatt.model.households.reading_checks import READING_CHECKS
from meanwatt.model.households.survey import Survey


def run_checks(survey: Survey) -> tuple[Check, ...]:
    """Check a survey's conventions, always in the same order."""
    return tuple(check(survey) for check in (*CLOCK_CHECKS, *READING_CHECKS))
