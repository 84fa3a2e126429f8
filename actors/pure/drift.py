"""Find assets of which the venue holds less than the ledger says we bought. Pure.

Position truth is the venue's quantity: a symbol that is short is frozen to exits only
until a later look finds enough (R-13, R-14, R-17, I-11). While an order of ours may be
executed the two move apart for a moment, so such an asset is not judged; but an order that
the venue still showed unchanged after it was asked for balances has moved nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

import attrs

from actors.messages import Balanced
from actors.pure.books import Books
from actors.pure.money import ZERO, plain, split_symbol

ZERO_BALANCE = (ZERO, ZERO)  # free and locked


@attrs.define
class Shortage:
    """What was missing at the last look at each asset."""

    frozen: frozenset[str] = frozenset()  # symbols
    _lines: dict[str, str] = attrs.Factory(dict[str, str])  # by asset

    def weigh(
        self,
        books: Books,
        before: Mapping[str, Decimal],
        totals: Mapping[str, Decimal],
        unmoved: Collection[str] = (),
    ) -> None:
        """Compare; `before` is `held_base` as it was before the venue was asked.

        `unmoved` are the live orders that it showed unchanged afterwards.
        """
        after = settled_base(books, unmoved)
        held = held_base(books)
        for asset, base in after.items():
            if before.get(asset) != base:
                continue
            total = totals.get(asset, ZERO)
            if total < base:
                line = f"{asset}: the ledger holds {plain(base)}, the venue {plain(total)}"
                self._lines[asset] = line
            else:
                self._lines.pop(asset, None)
        for asset in self._lines.keys() - held.keys():
            del self._lines[asset]
        self.frozen = frozenset(
            symbol
            for symbol in books.holdings.base_by_symbol()
            if split_symbol(symbol)[0] in self._lines
        )

    def lines(self) -> tuple[str, ...]:
        """Return one line for each asset that is short."""
        return tuple(self._lines[asset] for asset in sorted(self._lines))


def settled_base(books: Books, unmoved: Collection[str] = ()) -> dict[str, Decimal]:
    """Return what is held by asset, where no other order of ours can change it now."""
    moving = {
        split_symbol(order.symbol)[0]
        for order in books.orders.live()
        if order.client_order_id not in unmoved
    }
    moving |= {
        split_symbol(order.symbol)[0]
        for order in books.orders.ended()
        if order.missing_base
    }
    return {asset: base for asset, base in held_base(books).items() if asset not in moving}


def held_base(books: Books) -> dict[str, Decimal]:
    """Return what all bots together hold of each asset, as the ledger says."""
    held: dict[str, Decimal] = {}
    for symbol, base in books.holdings.base_by_symbol().items():
        asset = split_symbol(symbol)[0]
        held[asset] = held.get(asset, ZERO) + base
    return held


def new_balances(
    told: Iterable[Balanced],
    known: Mapping[str, Balanced],
    before: Mapping[str, Decimal],
    after: Mapping[str, Decimal],
) -> list[Balanced]:
    """Return what the venue said anew of assets that no fill has moved meanwhile.

    `before` and `after` are `held_base` as the venue was asked, and now: told after a fill,
    a balance from before it would pass for the newest word.
    """
    return [
        each
        for each in told
        if known.get(each.asset) != each and before.get(each.asset) == after.get(each.asset)
    ]
