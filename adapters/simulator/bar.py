"""What was traded in one stretch of time: open, high, low, close and volumes."""

from __future__ import annotations

from decimal import Decimal

import attrs

ZERO = Decimal(0)


@attrs.define
class Bar:
    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    base: Decimal = ZERO
    quote: Decimal = ZERO
    trades: int = 0
    first_id: int = -1
    last_id: int = -1

    def trade(self, price: Decimal, base: Decimal, trade_id: int) -> None:
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price
        self.base += base
        self.quote += price * base
        self.trades += 1
        if self.first_id < 0:
            self.first_id = trade_id
        self.last_id = trade_id

    def copied(self, open_ms: int) -> Bar:
        """Return the same figures as of a bar that begins at `open_ms`."""
        return Bar(
            open_ms, self.open, self.high, self.low, self.close, self.base, self.quote,
            self.trades, self.first_id, self.last_id,
        )  # fmt: skip

    def before(self, older: Bar) -> None:
        """Take in a bar that ended when this one began."""
        self.open = older.open
        self.high = max(self.high, older.high)
        self.low = min(self.low, older.low)
        self.base += older.base
        self.quote += older.quote
        self.trades += older.trades
        if older.first_id >= 0:
            self.first_id = older.first_id
        self.last_id = max(self.last_id, older.last_id)


def empty_bar(open_ms: int, price: Decimal) -> Bar:
    return Bar(open_ms, price, price, price, price)
