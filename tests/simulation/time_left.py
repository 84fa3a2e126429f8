"""Until when tests may simulate: CI has minutes, and says what it left out."""

from __future__ import annotations

import os
import time
from typing import Final

UNTIL_S: Final = float(os.environ.get("SHOAL_SIMULATE_UNTIL", "inf"))  # Unix time
OVER: Final = "not simulated: the time of SHOAL_SIMULATE_UNTIL was over"


def is_over() -> bool:
    """Tell whether nothing more should be begun that may be left out."""
    return time.time() > UNTIL_S
