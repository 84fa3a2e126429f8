"""Remember which of the venue's order ids is which of ours.

Coinbase's streams, fills and cancels go by the venue's id. What is forgotten here is asked
for again: nothing depends on it but a request saved.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, TypeVar

import attrs

from actors.messages import VenueOrder

KNOWN_MAX: Final = 4096
Value = TypeVar("Value")


def _orders() -> OrderedDict[str, str]:
    return OrderedDict()


@attrs.define(eq=False)
class KnownOrders:
    """One account's newest orders, ours and others'."""

    _venue_ids: OrderedDict[str, str] = attrs.Factory(_orders)  # by ours
    _client_ids: OrderedDict[str, str] = attrs.Factory(_orders)  # by the venue's
    _sent_ms: OrderedDict[str, int] = attrs.Factory(OrderedDict[str, int])

    _seen: OrderedDict[str, VenueOrder] = attrs.Factory(OrderedDict[str, VenueOrder])
    _cancelling: OrderedDict[str, bool] = attrs.Factory(OrderedDict[str, bool])

    def sent(self, client_order_id: str, at_ms: int) -> None:
        """Note when an order was sent: it is in no older history."""
        _keep(self._sent_ms, client_order_id, at_ms)

    def note(self, client_order_id: str, venue_order_id: str) -> None:
        """Note that these two name one order; one without our id is somebody else's."""
        if venue_order_id:
            _keep(self._client_ids, venue_order_id, client_order_id)
        if client_order_id and venue_order_id:
            _keep(self._venue_ids, client_order_id, venue_order_id)

    def saw(self, order: VenueOrder) -> None:
        """Note an order as the venue tells it."""
        self.note(order.client_order_id, order.venue_order_id)
        if order.client_order_id:
            _keep(self._seen, order.client_order_id, order)

    def last(self, client_order_id: str) -> VenueOrder | None:
        """Return what the venue said last of an order of ours."""
        return self._seen.get(client_order_id)

    def cancelling(self, client_order_id: str) -> None:
        """Note that the venue took a cancel."""
        _keep(self._cancelling, client_order_id, True)

    def is_cancelling(self, client_order_id: str) -> bool:
        return client_order_id in self._cancelling

    def venue_id(self, client_order_id: str) -> str | None:
        return self._venue_ids.get(client_order_id)

    def client_id(self, venue_order_id: str) -> str | None:
        """Return our id, "" for an order of somebody else, None where it is not known."""
        return self._client_ids.get(venue_order_id)

    def sent_ms(self, client_order_id: str) -> int | None:
        return self._sent_ms.get(client_order_id)


def _keep(kept: OrderedDict[str, Value], key: str, value: Value) -> None:
    kept[key] = value
    if len(kept) > KNOWN_MAX:
        kept.popitem(last=False)
