"""Small limits of money and orders, drawn for some of the seeds, so that halts occur."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import Final

SHARE: Final = 0.2  # of the seeds

# By what a bot of 10,000 does within two minutes: orders of 200 to 4,000, twice a second.
SMALL: Final[Mapping[str, Sequence[str]]] = {
    "daily_loss_percent_max": ("0.02", "0.1", "0.5"),
    "daily_turnover_quote_max": ("2_000", "10_000", "40_000"),
    "daily_fees_quote_max": ("2", "10", "40"),
    "orders_per_minute_max": ("5", "10", "20"),
    "positions_max": ("1", "2"),
    "order_quote_max": ("300", "1_500", "3_000"),
}


def with_limits(seed: int, config: str) -> str:
    """Return a bots.toml with small limits in a share of the seeds, else as it is."""
    chance = random.Random(f"{seed}/limits")
    if chance.random() >= SHARE:
        return config
    for name in chance.sample(list(SMALL), chance.randint(1, 3)):
        line = f"risk.{name} = {chance.choice(SMALL[name])}\n"
        config = re.sub(rf"risk\.{name} = .*\n", "", config)
        config = config.replace("risk.exposure", f"{line}risk.exposure", 1)
    return config
