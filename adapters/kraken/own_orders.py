"""The account's orders as the private stream and our own requests have told them.

The venue's updates are sparse: only an order's first one says what was ordered. Here they
are joined. It is a memory of what was told, not the ledger: an update that it cannot join
is an error, and the account reconciles.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import attrs

from actors.messages import (
    OrderRequest,
    OrderStatus,
    PrivateMessage,
    Side,
    VenueFill,
    VenueOrder,
)
from adapters.figures import BadFigure
from adapters.kraken.codec import words
from adapters.kraken.codec.numbers import ZERO, amount, positive, signed, unix_ms
from adapters.kraken.codec.private import Execution, Fee
from adapters.kraken.codec.words import EXCHANGE

ORDERS_MAX: Final = 5000  # remembered; the oldest that have ended are forgotten first

ENDED: Final = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REJECTED,
    }
)


@attrs.define(eq=False)
class OwnOrders:
    """Orders by the venue's id, oldest first."""

    changes: int = 0  # heard or asked for; what a question told before one is old
    _orders: dict[str, VenueOrder] = attrs.Factory(dict[str, VenueOrder])
    _ids: dict[str, str] = attrs.Factory(dict[str, str])  # client id -> the venue's
    _final: set[str] = attrs.Factory(set[str])  # ended, and told with all they executed
    _missed: set[str] = attrs.Factory(set[str])  # open when updates may have been lost
    _placed_ms: dict[str, int] = attrs.Factory(dict[str, int])  # by client id

    def asked(self, request: OrderRequest, placed_ms: int) -> None:
        """Remember when an order was asked for: a cancel soon after costs more."""
        self.changes += 1
        self._placed_ms[request.client_order_id] = placed_ms
        while len(self._placed_ms) > ORDERS_MAX:
            del self._placed_ms[next(iter(self._placed_ms))]

    def placed(self, request: OrderRequest, order_id: str, at_ms: int) -> None:
        """Remember what the venue took; what the stream has told already is newer."""
        if order_id not in self._orders:
            self._keep(
                VenueOrder(
                    EXCHANGE,
                    request.symbol,
                    request.client_order_id,
                    order_id,
                    request.side,
                    words.TYPE_WORD[request.order_type],
                    OrderStatus.OPEN,
                    request.base,
                    ZERO,
                    request.limit_price,
                    request.stop_price,
                    at_ms,
                )
            )

    def learn(self, orders: Sequence[VenueOrder]) -> None:
        """Take what a query told of orders whose beginning was not heard."""
        for order in orders:
            if order.venue_order_id not in self._orders:
                self._keep(order)

    def age_ms(self, client_order_id: str, now_ms: int) -> int:
        """Return how long ago an order was asked for, at least; 0 where nobody knows."""
        found = self.find(client_order_id)
        known_ms = now_ms if found is None else found.update_ms
        return max(0, now_ms - self._placed_ms.get(client_order_id, known_ms))

    def find(self, client_order_id: str) -> VenueOrder | None:
        return self._orders.get(self._ids.get(client_order_id, ""))

    def ended(self, client_order_id: str) -> VenueOrder | None:
        """Return an order whose end the stream has told whole: nothing changes it."""
        found = self.find(client_order_id)
        is_final = found is not None and found.venue_order_id in self._final
        return found if is_final else None

    def by_id(self, order_id: str) -> VenueOrder | None:
        """Return the order that the venue calls so."""
        return self._orders.get(order_id)

    def client_order_id(self, order_id: str) -> str:
        """Return our id of an order; "" where we do not know it."""
        found = self.by_id(order_id)
        return found.client_order_id if found is not None else ""

    def held(self, asset: str, base_of: dict[str, tuple[str, str]]) -> Decimal:
        """Return what open orders keep of an asset; `base_of`: each symbol's two assets.

        An estimate: the venue tells holds over REST only.
        """
        total = ZERO
        for order in self._orders.values():
            base_asset, quote_asset = base_of.get(order.symbol, ("", ""))
            if order.status in ENDED:
                continue
            left = order.base - order.filled_base
            if order.side is Side.SELL and asset == base_asset:
                total += left
            elif order.side is Side.BUY and asset == quote_asset and order.limit_price:
                total += left * order.limit_price
        return total

    def missed(self) -> None:
        """Take that updates may have been lost: executions may be among them."""
        orders = self._orders.items()
        self._missed |= {key for key, order in orders if order.status not in ENDED}

    def join(self, row: Execution) -> tuple[PrivateMessage, ...]:
        """Return what an update says, with all that was told of its order before.

        Raises:
          BadFigure: it is about an order that nobody has told us of, or that ended with
            nobody knows what executed.
        """
        self.changes += 1
        before = self._orders.get(row.order_id)
        order = self._new(row) if before is None else _changed(before, row)
        if before is not None and order.update_ms < before.update_ms:
            order = attrs.evolve(order, status=before.status)  # an older one came late
        if order.status is OrderStatus.FILLED and row.cum_qty is None:
            order = attrs.evolve(order, filled_base=max(order.filled_base, order.base))
        self._keep(order)
        self._note_end(order, row)
        if row.exec_type != "trade":
            return (order,)
        return (_fill(order, row), order)

    def _note_end(self, order: VenueOrder, row: Execution) -> None:
        is_told = row.cum_qty is not None
        if is_told:
            self._missed.discard(row.order_id)
        if order.status not in ENDED:
            return
        if is_told:
            self._final.add(row.order_id)
        elif row.order_id in self._missed and order.status is not OrderStatus.FILLED:
            raise BadFigure(f"{row.order_id} ended, and what it executed was not told")

    def _new(self, row: Execution) -> VenueOrder:
        if not row.symbol or row.order_qty is None or not row.side:
            text = f"an update ({row.exec_type}) of an order that was never told"
            raise BadFigure(f"{text}: {row.order_id}")
        filled_base = amount(row.cum_qty or ZERO)
        return VenueOrder(
            exchange=EXCHANGE,
            symbol=row.symbol,
            client_order_id=row.cl_ord_id,
            venue_order_id=row.order_id,
            side=words.side(row.side),
            order_type=row.order_type,
            status=words.status(row.order_status, is_filling=bool(filled_base)),
            base=amount(row.order_qty),
            filled_base=filled_base,
            limit_price=_price(row.limit_price),
            stop_price=_price(row.triggers.price if row.triggers else None),
            update_ms=unix_ms(row.timestamp),
            reason=row.reason[:100],
        )

    def _keep(self, order: VenueOrder) -> None:
        self._orders[order.venue_order_id] = order
        if order.client_order_id:
            self._ids[order.client_order_id] = order.venue_order_id
        if len(self._orders) > ORDERS_MAX:
            ended = (each for each in self._orders.values() if each.status in ENDED)
            gone = next(ended, None) or next(iter(self._orders.values()))
            del self._orders[gone.venue_order_id]
            self._final.discard(gone.venue_order_id)
            self._missed.discard(gone.venue_order_id)
            self._ids.pop(gone.client_order_id, None)


def _changed(order: VenueOrder, row: Execution) -> VenueOrder:
    """Return the order with what the row tells; the filled quantity never shrinks."""
    filled_base = order.filled_base
    if row.cum_qty is not None:
        filled_base = max(filled_base, amount(row.cum_qty))
    elif row.exec_type == "trade" and row.last_qty is not None:
        filled_base += amount(row.last_qty)
    status = order.status
    if order.status not in ENDED and row.order_status:
        status = words.status(row.order_status, is_filling=bool(filled_base))
    return attrs.evolve(
        order,
        client_order_id=row.cl_ord_id or order.client_order_id,
        status=status,
        base=order.base if row.order_qty is None else amount(row.order_qty),
        filled_base=filled_base,
        limit_price=_price(row.limit_price) or order.limit_price,
        stop_price=_price(row.triggers.price if row.triggers else None) or order.stop_price,
        update_ms=unix_ms(row.timestamp),
        reason=row.reason[:100],
    )


def _price(number: Decimal | None) -> Decimal | None:
    return amount(number) or None if number is not None else None


def _fill(order: VenueOrder, row: Execution) -> VenueFill:
    if not row.exec_id or row.last_qty is None or row.last_price is None:
        raise BadFigure("a trade without its id, price or quantity")
    fee, fee_asset = _fee_of(row.fees)
    return VenueFill(
        exchange=EXCHANGE,
        symbol=order.symbol,
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        trade_id=row.exec_id,
        side=order.side,
        price=positive(row.last_price),
        base=positive(row.last_qty),
        fee=fee,
        fee_asset=fee_asset,
        is_maker=row.liquidity_ind == "m",
        trade_ms=unix_ms(row.timestamp),
    )


def _fee_of(fees: Sequence[Fee]) -> tuple[Decimal, str]:
    """Return the one fee; we ask for it in one asset."""
    paid = [fee for fee in fees if fee.qty] or list(fees[:1])
    if len({fee.asset for fee in paid}) > 1:
        raise BadFigure("one fill with fees in several assets")
    total = sum((signed(fee.qty) for fee in paid), ZERO)
    return total, paid[0].asset if paid else ""
