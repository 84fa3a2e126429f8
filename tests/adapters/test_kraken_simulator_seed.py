"""The simulated Kraken says the same under the same seed, frame by frame."""

from __future__ import annotations

import hashlib
from decimal import Decimal

from trio.testing import MockClock

from adapters.simulator.clock import SimulatorClock
from adapters.simulator.exchange import Exchange
from adapters.simulator.kraken_dialect import KrakenDialect
from adapters.simulator.kraken_params import Params
from adapters.simulator.kraken_private import add_order
from adapters.simulator.kraken_publisher import Reader, Topic
from adapters.simulator.kraken_teller import Subscription
from tests.adapters.kraken_simulator_desk import ANN, CONFIG
from tests.adapters.test_simulator_market import Tape

UNIX_MS = 1_700_000_000_000
BUY = Params({"pair": "XBTUSDT", "type": "buy", "ordertype": "market", "volume": "0.01"})


async def session(seed: int) -> tuple[str, list[bytes]]:
    """Play a market with one customer; return a hash of all that was told."""
    exchange = Exchange(CONFIG, seed, SimulatorClock(UNIX_MS), {})
    dialect, tape = KrakenDialect(exchange), Tape()
    reader = Reader(tape)
    for channel, variant in (("ticker", "bbo"), ("trade", ""), ("book", 25), ("ohlc", 1)):
        dialect.publisher.subscribe(reader, Topic(channel, "BTCUSDT", variant))
    for channel in ("executions", "balances"):
        dialect.teller.join(Subscription(tape, ANN.name, channel))
    for number in range(1, 51):
        dialect.step(0.1)
        if number % 10 == 0:
            add_order(dialect.desk, ANN.name, BUY)
            dialect.beat(exchange.now_ms(), number)
    return hashlib.sha256(b"".join(tape.frames)).hexdigest(), tape.frames


async def test_the_same_seed_says_the_same_and_another_does_not(
    autojump_clock: MockClock,
) -> None:
    del autojump_clock
    first, frames = await session(7)
    again, _ = await session(7)
    other, _ = await session(8)

    assert first == again
    assert first != other
    assert len(frames) > 150


async def test_no_money_appears_or_vanishes(autojump_clock: MockClock) -> None:
    del autojump_clock
    exchange = Exchange(CONFIG, 7, SimulatorClock(UNIX_MS), {})
    dialect = KrakenDialect(exchange)
    for _ in range(5):
        dialect.step(0.1)
        add_order(dialect.desk, ANN.name, BUY)
    wallet = exchange.engine.wallets.holdings[ANN.name]
    dialect.flush()
    fills = [it.fill for it in exchange.fills[ANN.name, "BTCUSDT"]]
    paid = sum((it.trade.price * it.trade.base + it.fee for it in fills), Decimal(0))

    assert wallet["BTC"].free == 2 + 5 * Decimal("0.01")
    assert wallet["USDT"].free == 50_000 - paid
    assert wallet["USDT"].locked == 0
