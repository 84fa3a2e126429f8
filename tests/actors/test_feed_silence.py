"""A silent subscription reconnects, a quiet market does not (R-21, R-22, R-24)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from trio.testing import MockClock

from actors.messages import (
    Channel,
    ExchangeDisconnected,
    Link,
    StreamTerms,
    Subscription,
)
from actors.ports import NotListed, VenueError
from tests.actors.feed_house import (
    CANDLES,
    ETH,
    ETH_TICKER,
    TICKER,
    TRADES,
    House,
    open_house,
)
from tests.words import SYMBOL, candle, ticker


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


async def test_the_silence_of_one_subscription_reconnects(
    house: House, autojump_clock: MockClock
) -> None:
    """R-21: the other symbol goes on, the venue trades on, one stream says nothing."""
    house.want("dawn", TICKER, ETH_TICKER)
    await house.start()
    await house.tick(10, ETH)
    for price in range(100, 116):
        await house.tick(price)
        house.market.tickers[ETH] = ticker(price, symbol=ETH)  # REST has moved
        await house.at(1.0)
    (told,) = (await house.room.recorded(ExchangeDisconnected))[:1]
    assert told.reason.startswith("no data on ETH/USDT ticker for 1")
    assert len(house.market.streams) == 2


async def test_a_quiet_market_does_not_reconnect(
    house: House, autojump_clock: MockClock
) -> None:
    """R-22: REST says that nothing happened, for an hour."""
    house.want("dawn", TICKER, CANDLES)
    house.market.history[SYMBOL] = [candle(1, 100), candle(2, 100, is_closed=False)]
    await house.start()
    await house.tick(100)
    house.market.stream.tell(candle(2, 100, is_closed=False))
    await house.at(3600)
    assert len(house.market.streams) == 1
    assert len(house.market.asked_for("ticker")) < 700


async def test_volume_that_falls_out_of_the_day_is_no_trade(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    await house.start()
    await house.tick(100, volume=1000)
    house.market.tickers[SYMBOL] = ticker(100, volume_base=990)
    await house.at(60)
    assert len(house.market.streams) == 1


@pytest.mark.parametrize(("behind_ms", "is_kept"), [(3_000, True), (3_600_000, False)])
async def test_an_answer_little_older_than_what_the_stream_told_is_no_trade(
    house: House, autojump_clock: MockClock, behind_ms: int, is_kept: bool
) -> None:
    """R-22: a cache answers with the price before; a date far ahead excuses no silence."""
    house.want("dawn", TICKER)
    await house.start()
    await house.tick(100)
    told_ms = house.market.tickers[SYMBOL].exchange_ms
    house.market.tickers[SYMBOL] = ticker(99, exchange_ms=told_ms - behind_ms)
    await house.at(60)
    assert (len(house.market.streams) == 1) is is_kept


async def test_a_silent_candle_stream_is_found_while_the_ticker_lives(
    house: House,
    autojump_clock: MockClock,
) -> None:
    house.want("dawn", TICKER, CANDLES)
    house.market.history[SYMBOL] = [candle(1, 100), candle(2, 100, is_closed=False)]
    await house.start()
    house.market.stream.tell(candle(2, 100, is_closed=False))
    for price in range(100, 180):
        if len(house.market.streams) > 1:
            break
        await house.tick(price)
        await house.at(1.0)
    (told,) = await house.room.recorded(ExchangeDisconnected)
    assert told.reason.startswith("no data on BTC/USDT candles 1m")


async def test_what_the_market_was_before_the_last_datum_proves_no_silence(
    house: House, autojump_clock: MockClock
) -> None:
    """Quiet, then one trade that the stream tells, then quiet again."""
    house.market.tickers[SYMBOL] = ticker(100)
    house.market.history[SYMBOL] = [candle(1, 100), candle(2, 100, is_closed=False)]
    house.want("dawn", CANDLES)
    await house.start()
    house.market.stream.tell(candle(2, 100, is_closed=False))
    await house.at(40)
    house.market.tickers[SYMBOL] = ticker(101, volume_base=1001)
    house.market.stream.tell(candle(2, 101, is_closed=False))
    await house.at(200)
    assert len(house.market.streams) == 1


async def test_a_quiet_market_is_proven_by_the_venues_word(
    house: House, autojump_clock: MockClock
) -> None:
    """After a reconnect in a quiet night the stream has nothing to say."""
    house.market.tickers[SYMBOL] = ticker(100)
    house.want("dawn", TICKER)
    await house.start()
    await house.at(20)
    assert (house.links(), len(house.market.streams)) == ([Link.RESUMED], 1)


async def test_no_first_datum_in_time_reconnects(
    house: House, autojump_clock: MockClock
) -> None:
    """R-24: the subscription was accepted, the market moves, nothing comes."""
    house.want("dawn", TICKER)
    await house.start()
    for price in range(100, 116):
        house.market.tickers[SYMBOL] = ticker(price)
        await house.at(1.0)
    assert len(house.market.streams) == 2
    assert Link.RESUMED not in house.links()


async def test_who_cannot_be_asked_is_not_quiet(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    await house.start()
    await house.tick(100)
    house.market.errors[SYMBOL] = VenueError("REST is down")
    await house.at(13)
    assert len(house.market.streams) == 2


async def test_who_has_spoken_while_the_venue_was_asked_is_not_silent(
    house: House, autojump_clock: MockClock
) -> None:
    """R-22: REST is down, a quiet market ticks every eleven seconds: the stream lives."""
    house.want("dawn", TICKER)
    await house.start()
    house.market.slow_s[SYMBOL] = 100.0
    for price in range(100, 120):
        await house.tick(price)
        await house.at(11)
    assert await house.room.recorded(ExchangeDisconnected) == []


async def test_a_symbol_that_is_delisted_meanwhile_costs_the_others_nothing(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    house.want("dusk", ETH_TICKER)
    await house.start()
    await house.tick(10, ETH)
    house.market.errors[ETH] = NotListed(ETH)
    for price in range(100, 160):
        await house.tick(price)
        await house.at(1)
    assert (len(house.market.streams), house.links()[-1]) == (1, Link.RESUMED)
    assert house.market.stream.subscribed == {TICKER}


async def test_one_slow_symbol_does_not_delay_the_judgement_of_the_others(
    house: House,
    autojump_clock: MockClock,
) -> None:
    others = [f"C{number}/USDT" for number in range(3)]
    for symbol in others:
        house.market.tickers[symbol] = ticker(1, symbol=symbol)
        house.market.slow_s[symbol] = 4.9
    house.want("dawn", ETH_TICKER, *(Subscription(s, Channel.TICKER) for s in others))
    await house.start()
    await house.tick(10, ETH)
    house.market.tickers[ETH] = ticker(11, symbol=ETH)
    await house.at(12.6)
    (told,) = await house.room.recorded(ExchangeDisconnected)
    assert told.reason.startswith("no data on ETH/USDT ticker for 12")


async def test_trades_that_make_candles_are_missed_when_they_stay_away(
    house: House, autojump_clock: MockClock
) -> None:
    """The venue tells no candles: its trades are looked after as candles would be."""
    house.market.terms = StreamTerms(subscriptions_max=100)
    house.want("dawn", TICKER, CANDLES)
    await house.start()
    assert house.market.stream.subscribed == {TICKER, TRADES}
    for second in range(20):
        await house.tick(100 + second, volume=1000 + second)
        await house.at(1)
    assert len(house.market.streams) == 2


async def test_trades_that_nobody_builds_from_may_stay_away(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER, TRADES)
    await house.start()
    for second in range(45):
        await house.tick(100 + second, volume=1000 + second)
        await house.at(1)
    assert len(house.market.streams) == 1
