"""Several connections of one feed: filled, emptied, lost and replaced one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.messages import (
    BookSnapshot,
    Channel,
    ConnectionReplaced,
    ExchangeConnected,
    ExchangeDisconnected,
    FeedState,
    Link,
    Side,
    StreamTerms,
    Subscription,
    Ticker,
    Traded,
    Trades,
)
from actors.ports import ConnectionLost
from actors.reconnecting import AttemptsSpent
from tests.actors.feed_house import (
    CANDLES,
    ETH,
    ETH_TICKER,
    TICKER,
    TRADES,
    House,
    open_house,
)
from tests.actors.ledger_room import settle
from tests.actors.scripted_venue import ScriptedStream
from tests.words import SYMBOL, candle, ticker

LOST = ConnectionLost("the other side went away")
LIMIT = StreamTerms(subscriptions_max=1)
AGES = StreamTerms(1024, age_s_max=1000.0, timeframes=frozenset({"1m"}))
SOL_TICKER = Subscription("SOL/USDT", Channel.TICKER)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


def priced(price: int, symbol: str = SYMBOL, number: int = 0) -> Ticker:
    made = ticker(price, trio.current_time(), exchange_ms=1_700_000_000_000 + number)
    return attrs.evolve(made, symbol=symbol)


def traded(number: int) -> Traded:
    price = Decimal(100 + number)
    now_s = trio.current_time()
    return Traded("binance", SYMBOL, number, price, Decimal(1), Side.BUY, number, now_s)


def snapshot(last_id: int) -> BookSnapshot:
    level = (Decimal(last_id), Decimal(1))
    return BookSnapshot("binance", SYMBOL, last_id, (level,), (), trio.current_time())


def carried(house: House) -> list[int]:
    return [len(stream.subscribed) for stream in house.market.open_streams()]


async def live(house: House, *, seconds: float) -> None:
    """Let time pass while every open connection tells a price each second."""
    for _ in range(int(seconds)):
        for stream in house.market.open_streams():
            tell_prices(stream)
        await house.at(1)


def tell_prices(stream: ScriptedStream) -> None:
    number = int(trio.current_time() * 1000)
    for subscription in sorted(stream.subscribed, key=str):
        if subscription.channel is Channel.TICKER:
            stream.tell(priced(100 + number, subscription.symbol, number))


async def tell_only(stream: ScriptedStream, house: House, *, seconds: int) -> None:
    for _ in range(seconds):
        tell_prices(stream)
        await house.at(1)


async def start(house: House, terms: StreamTerms, *, settle_s: float = 1.0) -> None:
    house.market.terms = terms
    await house.start()
    await house.at(settle_s)


def states(house: House, reader: str) -> list[FeedState]:
    house.states.clear()
    house.look(reader)
    return list(house.states)


async def test_another_connection_opens_when_one_is_full(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER, ETH_TICKER, SOL_TICKER)
    await start(house, StreamTerms(subscriptions_max=2))
    assert sorted(carried(house)) == [1, 2]


async def test_sixty_subscriptions_share_one_connection(
    house: House, autojump_clock: MockClock
) -> None:
    wanted = [Subscription(f"C{n}/USDT", Channel.TICKER) for n in range(60)]
    house.want("dawn", *wanted)
    await start(house, StreamTerms(subscriptions_max=1024))
    tell_prices(house.market.stream)
    await settle()
    house.look()
    assert carried(house) == [60]
    assert len({told.symbol for told in house.seen}) == 60
    assert house.states[-1].link is Link.RESUMED


async def test_connections_are_opened_one_after_the_other(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER, ETH_TICKER, SOL_TICKER)
    await start(house, LIMIT, settle_s=0.3)
    assert len(house.market.streams) == 2
    await house.at(0.3)
    assert len(house.market.streams) == 3


async def test_a_connection_that_carries_nothing_closes(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    house.want("dusk", ETH_TICKER)
    await start(house, LIMIT)
    house.want("dusk")
    await settle()
    assert [stream.subscribed for stream in house.market.open_streams()] == [{TICKER}]


async def test_a_lost_connection_is_a_gap_of_its_own_symbols_only(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    house.want("dusk", ETH_TICKER)
    await start(house, LIMIT)
    await live(house, seconds=2)
    states(house, "dawn")
    states(house, "dusk")
    house.market.carrying(ETH_TICKER).fail(LOST)
    await settle()
    assert states(house, "dawn") == []
    assert [state.link for state in states(house, "dusk")] == [Link.GAP]
    await live(house, seconds=4)
    assert states(house, "dawn") == []
    assert [state.link for state in states(house, "dusk")] == [Link.RESUMED]


async def test_who_reads_several_symbols_is_told_which_are_missing(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER, ETH_TICKER)
    await start(house, LIMIT)
    await live(house, seconds=2)
    states(house, "dawn")
    house.market.carrying(ETH_TICKER).fail(LOST)
    await settle()
    (gap,) = states(house, "dawn")
    assert (gap.link, gap.symbols) == (Link.GAP, (ETH,))
    house.market.carrying(TICKER).fail(LOST)
    await settle()
    (gap,) = states(house, "dawn")
    assert (gap.link, gap.symbols) == (Link.GAP, ())


async def test_a_connection_that_never_comes_does_not_end_the_others(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    house.want("dusk", ETH_TICKER)
    await start(house, LIMIT)
    await live(house, seconds=2)
    house.market.refusals = [ConnectionLost("refused")] * 20
    house.market.carrying(ETH_TICKER).fail(LOST)
    await live(house, seconds=300)
    assert len(house.market.refusals) < 14
    assert [state.link for state in states(house, "dawn")][-1] is Link.RESUMED


async def test_the_life_ends_when_every_connection_has_spent_its_attempts(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER, ETH_TICKER)
    house.market.terms = LIMIT
    house.market.refusals = [ConnectionLost("refused")] * 50
    with trio.fail_after(200):
        with pytest.RaisesGroup(AttemptsSpent, flatten_subgroups=True):
            await house.run(task_status=trio.TASK_STATUS_IGNORED)


async def test_an_old_connection_is_replaced_without_a_gap(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER, ETH_TICKER)
    await start(house, AGES)
    await live(house, seconds=890)
    assert len(house.market.streams) == 1
    states(house, "dawn")
    await live(house, seconds=30)
    old, new = house.market.streams
    assert (old.is_open, new.is_open) == (False, True)
    assert states(house, "dawn") == []
    (told,) = await house.room.recorded(ConnectionReplaced)
    assert (told.reason, told.subscriptions) == ("0.2 h old", 2)
    connected = await house.room.recorded(ExchangeConnected, ExchangeDisconnected)
    assert [type(each) for each in connected] == [ExchangeConnected]  # the first, only


async def test_while_a_connection_is_replaced_no_trade_is_missed_or_told_twice(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER, TRADES)
    await start(house, AGES)
    await live(house, seconds=898)
    number = 0
    while number < 40 or house.market.streams[0].is_open:
        number += 1
        if number % 7 == 0:
            new_first = house.market.open_streams()[::-1]
        else:
            new_first = house.market.open_streams()
        for stream in new_first:
            stream.tell(traded(number))
            tell_prices(stream)
            await settle()
        await house.at(0.5)
    house.look()
    told = [
        t.trade_id for each in house.seen if isinstance(each, Trades) for t in each.trades
    ]
    assert told == list(range(1, number + 1))


async def test_tickers_are_told_once_and_in_order_while_a_connection_is_replaced(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    await start(house, AGES)
    await live(house, seconds=895)
    seen: list[int] = []
    for number in range(60):
        for stream in house.market.open_streams():
            stream.tell(priced(number + 1, number=10_000_000 + number))
            await settle()
            house.seen.clear()
            house.look()
            seen += [each.exchange_ms for each in house.seen if isinstance(each, Ticker)]
        await house.at(0.5)
    assert len(house.market.streams) == 2
    assert seen == sorted(set(seen))
    assert len(seen) == 60


async def test_a_replacement_that_stays_silent_changes_nothing_and_is_tried_again(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    await start(house, AGES)
    await live(house, seconds=895)
    old = house.market.stream
    states(house, "dawn")
    await tell_only(old, house, seconds=25)
    assert (len(house.market.streams), carried(house)) == (2, [1])
    await tell_only(old, house, seconds=60)
    assert (len(house.market.streams), old.is_open) == (3, True)
    assert states(house, "dawn") == []


async def test_a_streamed_book_begins_anew_when_its_handover_failed(
    house: House, autojump_clock: MockClock
) -> None:
    """The new connection has numbered it already; the old one knows other numbers."""
    book = Subscription(SYMBOL, Channel.BOOK)
    house.want("dawn", TICKER, book)
    await start(house, attrs.evolve(AGES, is_book_streamed=True))
    house.market.tickers[SYMBOL] = priced(100)  # the book is quiet
    house.market.stream.tell(snapshot(500))
    await live(house, seconds=895)
    old = house.market.stream
    await tell_only(old, house, seconds=7)
    house.market.stream.tell(snapshot(3))
    old.commands.clear()
    await tell_only(old, house, seconds=10)
    assert old.commands == [("-", {book}), ("+", {book})]
    assert not house.fan_outs[0].books[SYMBOL].is_synced
    old.tell(snapshot(501))
    await settle()
    assert house.fan_outs[0].books[SYMBOL].last_id == 501


async def test_a_slow_trade_is_waited_for_before_a_handover_fails(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER, TRADES)
    await start(house, AGES)
    await live(house, seconds=895)
    for number in range(1, 15):
        for stream in house.market.open_streams():
            if stream is house.market.streams[0] or number > 8:
                tell_prices(stream)
        house.market.streams[0].tell(traded(number))
        if number > 12:  # seconds after the new connection has told prices
            house.market.stream.tell(traded(number))
        await house.at(1)
    assert [stream.is_open for stream in house.market.streams] == [False, True]


async def test_candles_without_history_are_handed_over_as_they_are(
    house: House, autojump_clock: MockClock
) -> None:
    """REST fails: there is no window that a candle could leave a hole in."""
    house.want("dawn", TICKER, CANDLES)
    await start(house, AGES)
    for second in range(930):
        for stream in house.market.open_streams():
            tell_prices(stream)
            stream.tell(candle(1, second + 1, is_closed=False))
        await house.at(1)
    assert [stream.is_open for stream in house.market.streams] == [False, True]


async def test_a_quiet_market_is_handed_over_by_the_clock(
    house: House, autojump_clock: MockClock
) -> None:
    """Nobody trades: the old connection tells as little as the new one."""
    house.want("dawn", TICKER, TRADES)
    await start(house, AGES)
    await live(house, seconds=895)
    house.market.tickers[SYMBOL] = priced(100)
    tell_prices(house.market.stream)
    await house.at(30)
    assert [s.is_open for s in house.market.streams] == [False, True]
    assert states(house, "dawn")[-1].link is Link.RESUMED


async def test_a_replacement_that_is_refused_is_no_gap(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    await start(house, AGES)
    await live(house, seconds=895)
    states(house, "dawn")
    house.market.refusals = [ConnectionLost("refused")]
    await live(house, seconds=10)
    assert (len(house.market.streams), states(house, "dawn")) == (1, [])
    await live(house, seconds=70)
    assert [stream.is_open for stream in house.market.streams] == [False, True]
    assert states(house, "dawn") == []


async def test_a_loss_while_a_connection_is_replaced_is_a_gap_of_what_was_not_moved(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    house.want("dusk", ETH_TICKER)
    await start(house, AGES)
    await live(house, seconds=895)
    await tell_only(house.market.stream, house, seconds=7)
    old, new = house.market.streams
    new.tell(priced(1, SYMBOL, 10_000_000))
    await settle()
    states(house, "dawn")
    states(house, "dusk")
    old.fail(LOST)
    await settle()
    (told,) = await house.room.recorded(ExchangeDisconnected)
    assert told.reason == str(LOST)
    assert states(house, "dawn") == []
    assert [state.link for state in states(house, "dusk")] == [Link.GAP]
    new.tell(priced(1, ETH, 10_000_000))
    await settle()
    assert [state.link for state in states(house, "dusk")] == [Link.RESUMED]
    assert [stream.is_open for stream in house.market.streams] == [False, True]


async def test_what_the_others_have_room_for_is_moved_to_them(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER, ETH_TICKER)
    house.want("dusk", SOL_TICKER)
    await start(house, StreamTerms(subscriptions_max=2))
    await live(house, seconds=2)
    house.want("dawn", ETH_TICKER)
    states(house, "dusk")
    await live(house, seconds=9)
    assert carried(house) == [1, 1]
    await live(house, seconds=10)
    assert carried(house) == [2]
    assert states(house, "dusk") == []


async def test_who_comes_while_a_connection_is_replaced_is_served_after_it(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    await start(house, AGES)
    await live(house, seconds=895)
    await tell_only(house.market.stream, house, seconds=7)
    assert len(house.market.open_streams()) == 2
    house.want("dusk", ETH_TICKER)
    await live(house, seconds=20)
    assert house.market.stream.subscribed == {TICKER, ETH_TICKER}
    assert carried(house) == [2]
    assert states(house, "dusk")[-1].link is Link.RESUMED


async def test_who_leaves_while_a_connection_is_replaced_is_not_taken_along(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    house.want("dusk", ETH_TICKER)
    await start(house, AGES)
    await live(house, seconds=895)
    await tell_only(house.market.stream, house, seconds=7)
    assert len(house.market.open_streams()) == 2
    house.want("dusk")
    await live(house, seconds=20)
    streams: Sequence[ScriptedStream] = house.market.open_streams()
    assert [stream.subscribed for stream in streams] == [{TICKER}]
