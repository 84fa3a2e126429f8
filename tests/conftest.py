"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# Machines are shared and noisy: no test is judged by the clock on the wall.
settings.register_profile("shoal", deadline=None)
settings.load_profile("shoal")
