"""What all tests share."""

from __future__ import annotations

import pytest
from hypothesis import settings

# Machines are shared and noisy: no test is judged by the clock on the wall.
settings.register_profile("shoal", deadline=None)
settings.load_profile("shoal")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with whole programs: they mostly wait, and the others fill the gaps."""
    items.sort(key=lambda item: "system" not in item.path.parts)
