"""What the comparison of ledger and exchange says where the two were made to differ."""

from __future__ import annotations

from decimal import Decimal

from actors.messages import Acknowledged, Fact, OutcomeUnknown, Side
from actors.pure.matching_orders import Kind, NewOrder
from adapters.simulator.config import ApiKey, SimulatorConfig
from adapters.simulator.server import Simulator
from tests.simulation.book_keeping import BookKeeping
from tests.simulation.clocks import UNIX_MS, VenueClock
from tests.simulation.invariants import ACCOUNT, differences
from tests.simulation.seeding import run_seeded
from tests.simulation.venue import BALANCES
from tests.words import SYMBOL, attempted, intended

BEGUN = intended(base=Decimal("0.01")), attempted()
ACK = Acknowledged("dawn", ACCOUNT, SYMBOL, "c1", "v1")

UNKNOWN = OutcomeUnknown("dawn", ACCOUNT, SYMBOL, "c1", "no answer")


def judged(*facts: Fact, rests: bool = True) -> list[str]:
    """Compare a ledger of these facts with an exchange where "c1" rests, or does not."""

    async def main() -> list[str]:
        keys = (ApiKey(ACCOUNT, "key", "secret", BALANCES),)
        config = SimulatorConfig(keys=keys)
        simulator = Simulator(config, seed=1, clock=lambda: VenueClock(UNIX_MS))
        exchange = simulator.exchange
        if rests:
            base, price = Decimal("0.01"), Decimal(100)
            new = NewOrder(ACCOUNT, "c1", "BTCUSDT", Side.BUY, Kind.LIMIT, base, price)
            exchange.engine.place(new, UNIX_MS)
        books = BookKeeping({"c1": 0.0})
        for fact in facts:
            books.take(fact, UNIX_MS)
        return [each.partition(":")[0] for each in differences(books, exchange)]

    return run_seeded(main, 1)


def test_an_order_that_is_open_here_and_there_is_not_blamed() -> None:
    assert judged(*BEGUN, ACK) == []


def test_an_order_that_is_new_here_and_open_there_is_seen() -> None:
    assert judged(*BEGUN) == ["I-3", "I-8"]
    assert judged(*BEGUN, UNKNOWN) == ["I-8"]
    assert judged(*BEGUN, UNKNOWN, ACK) == []


def test_an_order_that_is_open_here_and_unknown_there_is_seen() -> None:
    assert judged(*BEGUN, ACK, rests=False) == ["I-8"]
