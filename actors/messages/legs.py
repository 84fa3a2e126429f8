"""Two orders on two exchanges that belong together: the facts of one such group.

A group is durable before either of its legs is asked for, so that after a crash the next
life knows that they belong together and answers for both.
"""

from __future__ import annotations

from decimal import Decimal

import attrs


@attrs.frozen
class Leg:
    """One side of a group; the order is known by its intent."""

    bot: str
    account: str
    exchange: str
    symbol: str
    intent_id: str
    price: Decimal  # at which it seemed worth it, quote per base


@attrs.frozen
class LegsIntended:
    """A group was decided on: buy here, sell the same quantity there."""

    bot: str  # that decides for both
    account: str
    symbol: str
    group_id: str
    buy: Leg
    sell: Leg
    base: Decimal
    profit_percent: Decimal  # expected, after fees


@attrs.frozen
class LegsSettled:
    """The last word on a group; not matched, its bots are halted."""

    bot: str
    account: str
    symbol: str
    group_id: str
    bought: Decimal  # base, before fees
    sold: Decimal
    hedged: Decimal  # of what was bought, sold again where it was bought
    is_matched: bool
    reason: str
