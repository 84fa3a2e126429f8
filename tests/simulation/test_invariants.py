"""What the comparison of ledger and exchange says where the two were made to differ."""

from __future__ import annotations

from decimal import Decimal

import pytest

from actors.messages import Acknowledged, Fact, OrderStatus, OutcomeUnknown, Side
from actors.pure.matching_orders import Fill, Kind, NewOrder
from adapters.simulator.config import ApiKey, SimulatorConfig
from adapters.simulator.server import Simulator
from tests.simulation.book_keeping import BookKeeping
from tests.simulation.clocks import UNIX_MS, VenueClock
from tests.simulation.invariants import ACCOUNT, balance_differences, differences
from tests.simulation.seeding import run_seeded
from tests.simulation.venue import BALANCES
from tests.simulation.venues import told_trade_id
from tests.words import SYMBOL, attempted, ended, filled, intended

BEGUN = intended(base=Decimal("0.01")), attempted()
ACK = Acknowledged("dawn", ACCOUNT, SYMBOL, "c1", "v1")

LOW, HIGH = Decimal(100), Decimal(100_000)
UNKNOWN = OutcomeUnknown("dawn", ACCOUNT, SYMBOL, "c1", "no answer")


def judged(
    *facts: Fact,
    price: Decimal | None = LOW,
    is_filled: bool = False,
    cancelled_ms: int | None = None,
    passphrase: str = "",
) -> list[str]:
    """Compare a ledger of these facts with an exchange where "c1" buys for so much.

    `price`: at LOW it rests, at HIGH it is filled at once; None: it was never placed.
    `is_filled`: the ledger has the exchange's fills, too. `cancelled_ms`: when it was
    cancelled there, after the facts were told; None: it was not.
    """

    async def main() -> list[str]:
        keys = (ApiKey(ACCOUNT, "key", "secret", BALANCES, passphrase=passphrase),)
        config = SimulatorConfig(keys=keys)
        simulator = Simulator(config, seed=1, clock=lambda: VenueClock(UNIX_MS))
        exchange = simulator.exchange
        if price is not None:
            base = Decimal("0.01")
            new = NewOrder(ACCOUNT, "c1", "BTCUSDT", Side.BUY, Kind.LIMIT, base, price)
            exchange.engine.place(new, UNIX_MS)
        if cancelled_ms is not None:
            (order,) = exchange.engine.by_client[ACCOUNT, "c1"]
            exchange.engine.cancel(order, UNIX_MS + cancelled_ms)
        books = BookKeeping({"c1": 0.0})
        for fact in facts:
            books.take(fact, UNIX_MS)
        for fill in exchange.engine.by_client[ACCOUNT, "c1"][-1].fills if is_filled else ():
            books.take(_told(config, fill), UNIX_MS)
        said = differences(books, exchange)
        said += balance_differences(books, exchange, BALANCES)
        return [each.partition(":")[0] for each in said]

    return run_seeded(main, 1)


def _told(config: SimulatorConfig, fill: Fill) -> Fact:
    trade_id, asset = told_trade_id(config, fill), fill.fee_asset
    return filled(
        fill.trade.base, fill.trade.price, trade_id=trade_id, fee=fill.fee, fee_asset=asset
    )


def test_an_order_that_is_open_here_and_there_is_not_blamed() -> None:
    assert judged(*BEGUN, ACK) == []


def test_an_order_that_is_new_here_and_open_there_is_seen() -> None:
    assert judged(*BEGUN) == ["I-3", "I-8"]
    assert judged(*BEGUN, UNKNOWN) == ["I-8"]
    assert judged(*BEGUN, UNKNOWN, ACK) == []


def test_an_order_that_is_open_here_and_unknown_there_is_seen() -> None:
    assert judged(*BEGUN, ACK, price=None) == ["I-8"]


def test_a_fill_that_is_not_here_is_seen_and_so_are_both_balances() -> None:
    assert judged(*BEGUN, ACK, price=HIGH) == ["I-7", "I-8", "I-7", "I-7"]


def test_a_fill_that_only_the_ledger_has_is_seen_in_the_balances() -> None:
    fill = filled("0.001", LOW)
    assert judged(*BEGUN, ACK, fill) == ["I-7", "I-7", "I-7"]


def test_an_order_that_only_its_fills_end_is_seen() -> None:
    assert judged(*BEGUN, ACK, price=HIGH, is_filled=True) == ["I-8"]
    end = ended(OrderStatus.FILLED, "0.01")
    assert judged(*BEGUN, ACK, end, price=HIGH, is_filled=True) == []


@pytest.mark.parametrize(
    ("passphrase", "cancelled_ms", "said"),
    [("", 0, ["I-8"]), ("of Coinbase's Exchange", 0, []), ("the same", 1, ["I-8"])],
)
def test_a_cancelled_order_is_called_not_placed_only_where_the_venue_forgets_it(
    passphrase: str, cancelled_ms: int, said: list[str]
) -> None:
    """And only once it was cancelled there: before that, the venue had it (I-10)."""
    facts = *BEGUN, UNKNOWN, ended(OrderStatus.NOT_PLACED, "0")
    assert judged(*facts, cancelled_ms=cancelled_ms, passphrase=passphrase) == said
