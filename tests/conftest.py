"""What all tests share."""

from hypothesis import settings

# Machines that run tests are busy at times; a slow example is no failure.
settings.register_profile("shared", deadline=None, derandomize=True)
settings.load_profile("shared")
