"""I-21, R-28: what the venue itself counted of our requests, over every process."""

from __future__ import annotations

from typing import Final

from adapters.simulator.exchange import Exchange

CONNECTS: Final = 300  # by web-socket-streams.md, "Limits"


def limit_violations(exchange: Exchange, *, is_network_true: bool) -> list[str]:
    """Return which of the venue's limits the machine broke.

    `is_network_true`: nothing held answers back, so whoever was told to stop has heard it.
    """
    limits, said = exchange.limits, list[str]()
    if limits.weight_peak > limits.limits.weight_1m:
        said.append(
            f"I-21: weight {limits.weight_peak} in one minute, "
            f"{limits.limits.weight_1m} are allowed"
        )
    if limits.connects_peak > CONNECTS:
        said.append(
            f"R-27: {limits.connects_peak} connections in five minutes, "
            f"{CONNECTS} are allowed"
        )
    if is_network_true and limits.while_forbidden:
        said.append(f"R-28: {limits.while_forbidden} requests before Retry-After was over")
    return said
