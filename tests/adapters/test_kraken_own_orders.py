"""What is known of the account's own orders without having placed them."""

from __future__ import annotations

from decimal import Decimal

from actors.messages import OrderStatus, Side, VenueOrder
from adapters.kraken.own_orders import OwnOrders
from tests.adapters.kraken_desk import IDS, order

HOUR_MS = 3_600_000
RESTING = VenueOrder(
    "kraken",
    "BTC/USDT",
    IDS[1],
    "OABCDE-FGHIJ-KLMNOP",
    Side.BUY,
    "limit",
    OrderStatus.OPEN,
    Decimal("0.01"),
    Decimal(0),
    Decimal(30_000),
    None,
    HOUR_MS,
)


def test_the_age_of_an_order_of_another_life_is_what_the_venue_tells_of_it() -> None:
    """A cancel of an old one costs nothing, and leaves exits their room (I-12)."""
    own = OwnOrders()
    assert own.age_ms(IDS[1], 2 * HOUR_MS) == 0  # nobody knows it: as if it was young
    own.learn([RESTING])
    assert own.age_ms(IDS[1], 2 * HOUR_MS) == HOUR_MS


def test_the_age_of_our_own_order_counts_from_when_it_was_asked_for() -> None:
    own = OwnOrders()
    own.asked(order(1), HOUR_MS)
    assert own.age_ms(IDS[1], HOUR_MS + 7_000) == 7_000
