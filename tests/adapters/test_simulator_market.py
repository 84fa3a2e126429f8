"""The synthetic market: repeatable by seed, drifting by script, quoted around a price."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.messages import Side
from actors.pure.matching_orders import Kind, NewOrder, Order, Pair
from adapters.simulator.binance_dialect import BinanceDialect
from adapters.simulator.binance_publisher import Reader
from adapters.simulator.chart import Chart
from adapters.simulator.clock import SimulatorClock
from adapters.simulator.config import BTC, Phase, SimulatorConfig, seeded
from adapters.simulator.exchange import Exchange
from adapters.simulator.faults import Faults
from adapters.simulator.outbox import Outbox
from adapters.simulator.past import draw_past
from adapters.simulator.timeframes import LENGTH_MS, next_of, open_of
from tests.adapters.simulator_desk import ANN, CONFIG

UNIX_MS = 1_700_000_000_000


class Tape(Outbox):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__("stream", Faults(), 1)
        self.frames: list[bytes] = []

    def post(self, wire: bytes, symbol: str = "") -> None:
        self.frames.append(symbol.encode() + wire)


async def session(
    seed: int, config: SimulatorConfig = CONFIG, seconds: int = 5
) -> tuple[str, Exchange]:
    """Play a market on a mocked clock; return a hash of all it said, and its state."""
    exchange = Exchange(config, seed, SimulatorClock(UNIX_MS), {})
    dialect, tape = BinanceDialect(exchange), Tape()
    reader = Reader(tape, is_combined=True)
    for symbol in ("btcusdt", "ethusdt"):
        for channel in ("trade", "bookTicker", "ticker", "kline_1s", "depth@100ms"):
            dialect.publisher.subscribe(reader, f"{symbol}@{channel}")
    for step in range(seconds * 10):
        await trio.sleep(0.1)
        dialect.step(0.1)
        dialect.beat(exchange.now_ms(), step)
    assert len(tape.frames) > 100
    return hashlib.sha256(b"".join(tape.frames)).hexdigest(), exchange


async def test_the_same_seed_says_the_same_and_another_does_not(
    autojump_clock: MockClock,
) -> None:
    del autojump_clock
    first, _ = await session(7)
    again, _ = await session(7)
    other, _ = await session(8)

    assert first == again
    assert first != other


async def test_an_account_that_trades_does_not_change_where_the_price_goes(
    autojump_clock: MockClock,
) -> None:
    del autojump_clock
    exchange = Exchange(CONFIG, 7, SimulatorClock(UNIX_MS), {})
    quiet = Exchange(CONFIG, 7, SimulatorClock(UNIX_MS), {})
    for number in range(50):
        size = Decimal("0.01")
        buy = NewOrder(ANN.name, f"b{number}", "BTCUSDT", Side.BUY, Kind.MARKET, size)
        assert isinstance(exchange.place(buy), Order)
        exchange.step(0.1)
        quiet.step(0.1)
        await trio.sleep(0.1)

        tops = [it.wares["BTCUSDT"].book.bids.best() for it in (exchange, quiet)]
        assert tops[0] == tops[1]


async def test_a_scripted_phase_moves_the_price_by_its_percent(
    autojump_clock: MockClock,
) -> None:
    del autojump_clock
    calm = attrs.evolve(BTC, volatility=0.0)
    phases = (Phase(1, 2, 3.0), Phase(4, 1, -5.0), Phase(0, 9, 50.0, "ETH/USDT"))
    config = attrs.evolve(CONFIG, listings=(calm,), scenario=phases)
    exchange = Exchange(config, 1, SimulatorClock(UNIX_MS), {})

    def price_after(seconds: int) -> float:
        for _ in range(seconds * 10):
            exchange.step(0.1)
        return float(exchange.wares["BTCUSDT"].book.bids.top()[0])

    assert price_after(1) == pytest.approx(60_000, rel=1e-6)
    assert price_after(3) == pytest.approx(61_800, rel=1e-6)
    assert price_after(2) == pytest.approx(58_710, rel=1e-6)


async def test_the_whole_venue_neither_makes_nor_loses_money(
    autojump_clock: MockClock,
) -> None:
    del autojump_clock
    _, exchange = await session(3)
    before = {asset: exchange.engine.wallets.total(asset) for asset in ("BTC", "USDT")}
    chance = seeded(3, "orders")
    for number in range(200):
        side = chance.choice([Side.BUY, Side.SELL])
        kind = chance.choice([Kind.MARKET, Kind.LIMIT])
        touch = exchange.wares["BTCUSDT"].book.side(side).best()
        assert touch is not None
        price = touch + chance.randint(-500, 500) if kind is Kind.LIMIT else Decimal(0)
        size = Decimal(chance.randint(1, 200)) / 1000
        exchange.place(NewOrder(ANN.name, f"o{number}", "BTCUSDT", side, kind, size, price))
        exchange.step(0.1)

    after = {asset: exchange.engine.wallets.total(asset) for asset in ("BTC", "USDT")}
    assert after == before
    for order in exchange.engine.orders.values():
        exchange.news()
        assert order.filled_base == sum(fill.trade.base for fill in order.fills)


def test_the_past_does_not_depend_on_what_was_asked_first() -> None:
    deep = Chart(draw_past(BTC, 1, UNIX_MS))
    deep.bars("1d", 40)
    shallow = Chart(draw_past(BTC, 1, UNIX_MS))

    assert deep.bars("1m", 100) == shallow.bars("1m", 100)


def test_old_seconds_are_summed_up_to_minutes_that_say_the_same() -> None:
    chart = Chart(draw_past(BTC, 1, UNIX_MS))
    chance = seeded(1, "trades")
    start_ms = open_of("1m", UNIX_MS) + 60_000
    first: list[object] = []
    for second in range(9000):
        at_ms = UNIX_MS + second * 1000
        chart.roll(at_ms)
        price = BTC.price + chance.randint(-5000, 5000) * BTC.tick
        chart.trade(price, BTC.lot * chance.randint(1, 9), second)
        if at_ms == open_of("1m", at_ms) and at_ms > start_ms + 600_000 and not first:
            first = list(chart.bars("1m", 9, start_ms=start_ms))

    later = list(chart.bars("1m", 9, start_ms=start_ms))
    assert first
    assert later == first


@pytest.mark.parametrize("timeframe", list(LENGTH_MS))
def test_candles_tile_time(timeframe: str) -> None:
    open_ms = open_of(timeframe, UNIX_MS)
    next_ms = next_of(timeframe, open_ms)

    assert open_ms <= UNIX_MS < next_ms
    assert open_of(timeframe, next_ms - 1) == open_ms
    assert open_of(timeframe, next_ms) == next_ms


def test_weeks_open_on_mondays_and_months_on_the_first() -> None:
    # 2023-11-14 was a Tuesday; its week opened on the 13th, its month on the 1st.
    assert open_of("1w", UNIX_MS) == 1_699_833_600_000
    assert open_of("1M", UNIX_MS) == 1_698_796_800_000


def test_pairs_are_what_the_engine_needs() -> None:
    pair = Pair(BTC.venue_symbol, BTC.base_asset, BTC.quote_asset, BTC.lot)

    assert pair == Pair("BTCUSDT", "BTC", "USDT", Decimal("0.00001"))
