"""Settings of every test. The helpers beside this file, e.g. ``scenarios``, are importable because it lies here."""

from hypothesis import settings

settings.register_profile("meanwatt", deadline=None)  # a busy machine or a first compilation is no failure
settings.load_profile("meanwatt")
