"""What the comparison of ledger and exchange says where the two were made to differ."""

from __future__ import annotations

from decimal import Decimal

from actors.messages import Acknowledged, Fact, OutcomeUnknown, Side
from actors.pure.matching_orders import Kind, NewOrder
from adapters.simulator.config import ApiKey, SimulatorConfig
from adapters.simulator.server import Simulator
from tests.simulation.book_keeping import BookKeeping
from tests.simulation.clocks import UNIX_MS, VenueClock
from tests.simulation.invariants import ACCOUNT, balance_differences, differences
from tests.simulation.seeding import run_seeded
from tests.simulation.venue import BALANCES
from tests.words import SYMBOL, attempted, filled, intended

BEGUN = intended(base=Decimal("0.01")), attempted()
ACK = Acknowledged("dawn", ACCOUNT, SYMBOL, "c1", "v1")

LOW, HIGH = Decimal(100), Decimal(100_000)
UNKNOWN = OutcomeUnknown("dawn", ACCOUNT, SYMBOL, "c1", "no answer")


def judged(*facts: Fact, price: Decimal | None = LOW) -> list[str]:
    """Compare a ledger of these facts with an exchange where "c1" buys for so much.

    `price`: at LOW it rests, at HIGH it is filled at once; None: it was never placed.
    """

    async def main() -> list[str]:
        keys = (ApiKey(ACCOUNT, "key", "secret", BALANCES),)
        config = SimulatorConfig(keys=keys)
        simulator = Simulator(config, seed=1, clock=lambda: VenueClock(UNIX_MS))
        exchange = simulator.exchange
        if price is not None:
            base = Decimal("0.01")
            new = NewOrder(ACCOUNT, "c1", "BTCUSDT", Side.BUY, Kind.LIMIT, base, price)
            exchange.engine.place(new, UNIX_MS)
        books = BookKeeping({"c1": 0.0})
        for fact in facts:
            books.take(fact, UNIX_MS)
        said = differences(books, exchange)
        said += balance_differences(books, exchange, BALANCES)
        return [each.partition(":")[0] for each in said]

    return run_seeded(main, 1)


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
