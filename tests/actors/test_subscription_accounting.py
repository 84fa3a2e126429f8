"""Two hundred bots share the fewest connections that three venues' limits allow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from functools import partial
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.demand import Demand
from actors.fan_out import FanOut
from actors.feed import FeedSettings, run_feed
from actors.mailbox import Mailbox
from actors.messages import (
    Channel,
    Side,
    StreamMessage,
    StreamTerms,
    Subscription,
    Traded,
    Wanted,
)
from actors.pure.timeframes import LENGTH_MS
from adapters.binance.rest import TERMS as BINANCE
from adapters.coinbase.rest import TERMS as COINBASE
from adapters.kraken.rest import TERMS as KRAKEN
from tests.actors.ledger_room import Room, open_room, settle
from tests.actors.scripted_venue import Middle, ScriptedMarket
from tests.words import candle, ticker

EXCHANGES = {"binance": BINANCE, "coinbase": COINBASE, "kraken": KRAKEN}
BOTS, SYMBOLS = 200, 20  # symbols of each exchange
TIGHT = 7  # subscriptions on one connection, to have several


@attrs.frozen
class Bot:
    name: str
    exchange: str
    symbol: str
    timeframe: str

    def wanted(self) -> frozenset[Subscription]:
        candles = Subscription(self.symbol, Channel.CANDLES, self.timeframe)
        return frozenset({Subscription(self.symbol, Channel.TICKER), candles})


def two_hundred() -> list[Bot]:
    """Return bots over all symbols of all exchanges, in an order of no meaning."""
    names, lengths = sorted(EXCHANGES), ("1m", "5m", "15m")
    bots = [
        Bot(
            f"bot:{number}",
            names[number % 3],
            f"S{number // 3 % SYMBOLS}/USDT",
            lengths[number // 7 % 3],
        )
        for number in range(BOTS)
    ]
    Random(4).shuffle(bots)
    return bots


def datum(exchange: str, subscription: Subscription, now_s: float) -> StreamMessage:
    now_ms, symbol = int(now_s * 1000), subscription.symbol
    if subscription.channel is Channel.TICKER:
        return ticker(1, now_s, exchange=exchange, symbol=symbol, exchange_ms=now_ms)
    if subscription.channel is Channel.TRADES:
        one = Decimal(1)
        return Traded(exchange, symbol, now_ms, one, one, Side.BUY, now_ms, now_s)
    running = candle(now_ms // 60_000, 1, is_closed=False)
    length_ms = LENGTH_MS[subscription.timeframe]
    open_ms = now_ms // length_ms * length_ms
    return attrs.evolve(
        running,
        exchange=exchange,
        symbol=symbol,
        timeframe=subscription.timeframe,
        open_ms=open_ms,
        close_ms=open_ms + length_ms - 1,
        volume_base=Decimal(now_ms % length_ms),
    )


@attrs.define(eq=False)
class Fleet:
    """Three feeds on three scripted venues, and their readers."""

    room: Room
    bots: list[Bot]
    markets: dict[str, ScriptedMarket] = attrs.Factory(dict[str, ScriptedMarket])
    demands: dict[str, Demand] = attrs.Factory(dict[str, Demand])
    fan_outs: dict[str, FanOut] = attrs.Factory(dict[str, FanOut])

    async def start(self, terms: Mapping[str, StreamTerms]) -> None:
        readers = {each.name: Mailbox[Any](each.name) for each in self.bots}
        readers |= {name: Mailbox[Any](name) for name in ("risk", "board")}
        for exchange, allowed in terms.items():
            mailbox = Mailbox[Any](f"feed:{exchange}")
            self.markets[exchange] = ScriptedMarket(terms=allowed)
            self.demands[exchange] = Demand(exchange, [mailbox])
            self.fan_outs[exchange] = FanOut(exchange, readers, terms=allowed)
            run = partial(
                run_feed,
                mailbox,
                self.markets[exchange],
                self.room.journal,
                self.fan_outs[exchange],
                self.demands[exchange],
                settings=FeedSettings(exchange),
                random=Middle(),
            )
            await self.room.start(mailbox, run)
            symbols = {each.symbol for each in self.bots if each.exchange == exchange}
            everything = frozenset(Subscription(s, Channel.TICKER) for s in symbols)
            for name in ("risk", "board"):
                wanted = Wanted(name, everything, is_follower=True)
                self.demands[exchange].want(wanted)
        for bot in self.bots:
            self.demands[bot.exchange].want(Wanted(bot.name, bot.wanted()))

    async def stop(self, bot: Bot) -> None:
        self.bots.remove(bot)
        self.demands[bot.exchange].want(Wanted(bot.name, frozenset()))
        await settle()

    def symbols(self, exchange: str) -> set[str]:
        return {each.symbol for each in self.bots if each.exchange == exchange}

    def check_symbols(self) -> None:
        """Every symbol that a bot trades is subscribed to once, and no other is."""
        for exchange, market in self.markets.items():
            told = [each for stream in market.open_streams() for each in stream.subscribed]
            assert len(told) == len(set(told))
            assert set(told) == self.fan_outs[exchange].on_wire()
            assert {each.symbol for each in told} == self.symbols(exchange)

    def tell_prices(self) -> None:
        """Let every open connection tell something of all that it carries."""
        now_s = trio.current_time()
        for exchange, market in self.markets.items():
            for stream in market.open_streams():
                for each in sorted(stream.subscribed, key=str):
                    stream.tell(datum(exchange, each, now_s))

    def connections(self) -> dict[str, int]:
        return {name: len(market.open_streams()) for name, market in self.markets.items()}

    def fewest(self) -> dict[str, int]:
        return {
            exchange: ceil(len(fan_out.on_wire()) / fan_out.terms.subscriptions_max)
            for exchange, fan_out in self.fan_outs.items()
        }

    def subscriptions(self) -> dict[str, int]:
        return {name: len(fan_out.on_wire()) for name, fan_out in self.fan_outs.items()}


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    async with open_room(tmp_path) as room:
        yield Fleet(room, two_hundred())


async def test_one_connection_of_each_exchange_carries_two_hundred_bots(
    fleet: Fleet, autojump_clock: MockClock
) -> None:
    """Ticker and one stream of candles, or of trades, for each of sixty symbols."""
    await fleet.start(EXCHANGES)
    await trio.sleep(1)
    fleet.check_symbols()
    assert fleet.connections() == {"binance": 1, "coinbase": 1, "kraken": 1}
    assert fleet.subscriptions() == {"binance": 40, "coinbase": 40, "kraken": 40}


async def test_tight_limits_are_met_with_the_fewest_connections(
    fleet: Fleet, autojump_clock: MockClock
) -> None:
    tight = {
        exchange: attrs.evolve(terms, subscriptions_max=TIGHT)
        for exchange, terms in EXCHANGES.items()
    }
    await fleet.start(tight)
    await trio.sleep(5)
    fleet.check_symbols()
    assert fleet.connections() == fleet.fewest()
    assert fleet.connections() == {"binance": 6, "coinbase": 6, "kraken": 6}
    for market in fleet.markets.values():
        assert max(len(stream.subscribed) for stream in market.open_streams()) == TIGHT


async def test_bots_that_stop_leave_the_fewest_connections_behind(
    fleet: Fleet, autojump_clock: MockClock
) -> None:
    tight = {
        exchange: attrs.evolve(terms, subscriptions_max=TIGHT)
        for exchange, terms in EXCHANGES.items()
    }
    await fleet.start(tight)
    while fleet.bots:
        for bot in fleet.bots[:40]:
            await fleet.stop(bot)
        for _ in range(60):  # merged one after the other, while prices come
            fleet.tell_prices()
            await trio.sleep(1)
        fleet.check_symbols()
        assert fleet.connections() == fleet.fewest()


async def test_the_last_bot_of_a_symbol_takes_its_subscriptions_along(
    fleet: Fleet, autojump_clock: MockClock
) -> None:
    """Risk and board read every symbol, and yet keep none subscribed."""
    await fleet.start(EXCHANGES)
    await trio.sleep(1)
    while fleet.bots:
        await fleet.stop(fleet.bots[0])
        fleet.check_symbols()
    assert fleet.subscriptions() == {"binance": 0, "coinbase": 0, "kraken": 0}
    assert fleet.connections() == {"binance": 0, "coinbase": 0, "kraken": 0}


async def test_another_bot_of_a_symbol_keeps_what_it_reads_itself(
    fleet: Fleet, autojump_clock: MockClock
) -> None:
    first, second = (
        Bot(f"bot:{number}", "binance", "S0/USDT", timeframe)
        for number, timeframe in enumerate(("1m", "5m"))
    )
    fleet.bots[:] = [first, second]
    await fleet.start(EXCHANGES)
    await trio.sleep(1)
    ticker = Subscription("S0/USDT", Channel.TICKER)
    minutes, fives = (
        Subscription("S0/USDT", Channel.CANDLES, each) for each in ("1m", "5m")
    )
    stream = fleet.markets["binance"].stream
    assert stream.subscribed == {ticker, minutes}
    await fleet.stop(first)
    assert stream.subscribed == {ticker, fives}
    await fleet.stop(second)
    assert not stream.is_open  # it carries nothing any more
