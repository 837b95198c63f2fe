"""The form in which a component gets its data."""

import json


def to_json(value: object) -> str:
    """Write strict, compact JSON: one string is cheaper to hand on than a thousand numbers."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))
