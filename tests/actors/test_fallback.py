"""REST prices stand in for a silent stream, marked so, and end with the silence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.demand import Demand
from actors.fallback import FallbackSettings, run_fallback
from actors.mailbox import Mailbox
from actors.messages import (
    Channel,
    FallbackBegun,
    FallbackEnded,
    Source,
    Subscription,
    Ticker,
    Wanted,
)
from actors.ports import RateLimited, VenueError
from tests.actors.ledger_room import Room, open_room, settle, taken
from tests.actors.scripted_venue import ScriptedMarket
from tests.words import SYMBOL, ticker

ETH = "ETH/USDT"


@attrs.define(eq=False)
class House:
    room: Room
    market: ScriptedMarket
    mailbox: Mailbox[Any]
    demand: Demand
    readers: dict[str, Mailbox[Any]]

    def want(self, reader: str, *symbols: str) -> None:
        wanted = frozenset(Subscription(symbol, Channel.TICKER) for symbol in symbols)
        self.demand.want(Wanted(reader, wanted))

    async def run(  # noqa: ASYNC128 -- the actor's own body calls started()
        self, *, task_status: trio.TaskStatus[None]
    ) -> None:
        await run_fallback(
            self.mailbox,
            self.market,
            self.room.journal,
            self.readers,
            self.demand,
            settings=FallbackSettings("binance", after_s=5.0, poll_s=2.0),
            task_status=task_status,
        )

    async def start(self) -> trio.CancelScope:
        return await self.room.start(self.mailbox, self.run)

    async def stream_until(self, seconds: float, symbol: str = SYMBOL) -> None:
        """Let the stream tell a price a second, for so long."""
        until_s = trio.current_time() + seconds
        while trio.current_time() < until_s:
            told = ticker(1, trio.current_time(), symbol=symbol)
            self.mailbox.latest(f"ticker:{symbol}", told)
            await trio.sleep(1.0)

    def prices(self, reader: str = "dawn") -> list[Ticker]:
        return taken(self.readers[reader])


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_room(tmp_path) as room:
        mailbox = Mailbox[Any]("fallback:binance")
        readers = {name: Mailbox[Any](name) for name in ("dawn", "dusk")}
        market = ScriptedMarket(tickers={SYMBOL: ticker(100), ETH: ticker(10, symbol=ETH)})
        yield House(room, market, mailbox, Demand("binance", [mailbox]), readers)


async def test_a_stream_that_tells_prices_costs_no_request(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", SYMBOL)
    await house.start()
    await house.stream_until(60)
    assert house.market.asked == []


async def test_it_starts_on_absence_of_data_and_marks_its_prices(
    house: House, autojump_clock: MockClock
) -> None:
    """R-19: nobody says that a connection is lost; there is just no price."""
    house.want("dawn", SYMBOL)
    await house.start()
    await house.stream_until(3)
    begun_s = trio.current_time()
    await trio.sleep(5.1)
    (price,) = house.prices()
    assert (price.last, price.source) == (100, Source.REST)
    assert 4.0 <= price.received_s - begun_s <= 5.0
    (told,) = await house.room.recorded(FallbackBegun)
    assert (told.symbol, 5000 <= told.silent_ms <= 5500) == (SYMBOL, True)


async def test_it_polls_until_the_stream_speaks_again(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", SYMBOL)
    await house.start()
    await trio.sleep(20)
    assert len(house.market.asked) == 8
    await house.stream_until(10)
    assert len(house.market.asked) == 8
    assert await house.room.recorded(FallbackBegun, FallbackEnded) == [
        FallbackBegun("binance", SYMBOL, 5000),
        FallbackEnded("binance", SYMBOL, 8),
    ]


async def test_only_who_wants_the_silent_symbol_is_shown_its_price(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", SYMBOL)
    house.want("dusk", ETH)
    await house.start()
    await house.stream_until(12, ETH)
    assert [each.symbol for each in house.prices()] == [SYMBOL]
    assert house.prices("dusk") == []


async def test_an_end_is_told_when_nobody_wants_the_symbol_any_more(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", SYMBOL)
    await house.start()
    await trio.sleep(6)
    house.want("dawn")
    await trio.sleep(20)
    assert len(await house.room.recorded(FallbackEnded)) == 1
    assert len(house.market.asked) == 1


async def test_a_symbol_that_answers_slowly_delays_no_other(
    house: House, autojump_clock: MockClock
) -> None:
    house.market.slow_s[ETH] = 100.0
    house.want("dawn", SYMBOL)
    house.want("dusk", ETH)
    await house.start()
    await trio.sleep(20)
    assert len(house.market.asked_for("ticker", SYMBOL)) == 8
    assert house.prices("dusk") == []


async def test_a_silent_journal_delays_no_price(
    house: House, autojump_clock: MockClock
) -> None:
    house.room.disk.slow_s = 1000.0
    house.want("dawn", SYMBOL)
    await house.start()
    await trio.sleep(5.6)
    assert len(house.prices()) == 1


async def test_the_venues_own_wait_is_kept_for_every_symbol(
    house: House, autojump_clock: MockClock
) -> None:
    """R-28: zero requests in the window."""
    house.market.errors[SYMBOL] = RateLimited("429", retry_after_s=60.0)
    house.want("dawn", SYMBOL)
    await house.start()
    await trio.sleep(6)
    house.want("dusk", ETH)
    begun = len(house.market.asked)
    await trio.sleep(50)
    assert len(house.market.asked) == begun
    await trio.sleep(20)
    assert house.market.asked_for("ticker", ETH) != []


async def test_a_venue_that_cannot_be_reached_is_asked_again(
    house: House, autojump_clock: MockClock
) -> None:
    house.market.errors[SYMBOL] = VenueError("down")
    house.want("dawn", SYMBOL)
    await house.start()
    await trio.sleep(20)
    del house.market.errors[SYMBOL]
    assert house.prices() == []
    await trio.sleep(4)
    assert len(house.prices()) == 1


async def test_its_next_life_waits_anew_and_stands_in_again(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", SYMBOL)
    life = await house.start()
    await trio.sleep(7)
    life.cancel()
    await settle()
    asked = len(house.market.asked)
    await house.start()
    await trio.sleep(4.9)
    assert len(house.market.asked) == asked
    await trio.sleep(1)
    assert len(house.market.asked) == asked + 1


async def test_a_price_is_as_old_as_the_question_for_it(
    house: House, autojump_clock: MockClock
) -> None:
    house.market.slow_s[SYMBOL] = 1.5
    house.want("dawn", SYMBOL)
    await house.start()
    begun_s = trio.current_time()
    await trio.sleep(7)
    (price,) = house.prices()
    assert price.received_s - begun_s == 5.0


async def test_a_price_asked_for_before_the_stream_spoke_again_is_dropped(
    house: House, autojump_clock: MockClock
) -> None:
    """An older price would stand where the stream has just told a newer one."""
    house.market.slow_s[SYMBOL] = 0.45
    house.want("dawn", SYMBOL)
    await house.start()
    await trio.sleep(5.1)
    house.mailbox.latest("ticker", ticker(80, trio.current_time()))
    await trio.sleep(0.39)
    assert len(house.market.asked) == 1
    assert house.prices() == []


async def test_a_price_that_the_venue_dates_before_the_streams_last_is_dropped(
    house: House, autojump_clock: MockClock
) -> None:
    """R-43: a cache answers what the price was a minute ago, below a stop of today."""
    told = ticker(100, exchange_ms=1_700_000_060_000)
    house.market.tickers[SYMBOL] = ticker(95, exchange_ms=1_700_000_000_000)
    house.want("dawn", SYMBOL)
    await house.start()
    house.mailbox.latest("ticker", attrs.evolve(told, received_s=trio.current_time()))
    await trio.sleep(6)
    assert (len(house.market.asked), house.prices()) == (1, [])
    house.market.tickers[SYMBOL] = attrs.evolve(told, exchange_ms=told.exchange_ms - 900)
    await trio.sleep(2)
    assert [each.last for each in house.prices()] == [100]


@pytest.mark.parametrize(("times", "shown"), [(1, [95]), (2, [])])
async def test_one_date_far_ahead_refuses_no_price_until_a_second_agrees(
    house: House, autojump_clock: MockClock, times: int, shown: list[int]
) -> None:
    """R-43: one odd date of the last ticker would keep us without prices for years."""
    house.market.tickers[SYMBOL] = ticker(95, exchange_ms=1_700_000_020_000)
    house.want("dawn", SYMBOL)
    await house.start()
    dates_ms = [1_700_000_010_000] + [1_900_000_000_000 + n * 1_000 for n in range(times)]
    for date_ms in dates_ms:
        told = ticker(100, trio.current_time(), exchange_ms=date_ms)
        house.mailbox.latest("ticker", told)
        await trio.sleep(1)
    await trio.sleep(5)
    assert (len(house.market.asked), [each.last for each in house.prices()]) == (1, shown)
