"""What an exchange lists is known before anybody trades, and learned again."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.catalogue import DOUBTED_S, READY_S, run_catalogue
from actors.mailbox import Mailbox
from actors.messages import Instrument, ListingDoubted
from actors.ports import VenueError
from tests.actors.scripted_venue import ScriptedMarket
from tests.words import BTC, SYMBOL

ETH = attrs.evolve(BTC, symbol="ETH/USDT")


async def start(
    nursery: trio.Nursery,
    market: ScriptedMarket,
    instruments: dict[str, Instrument],
    mailbox: Mailbox[Any] | None = None,
) -> Mailbox[Any]:
    """Start a catalogue; return the board's mailbox."""
    board, mailbox = Mailbox[Any]("board"), mailbox or Mailbox[Any]("catalogue:binance")
    run = partial(run_catalogue, mailbox, market, instruments, board, exchange="binance")
    await nursery.start(run)
    return board


async def test_an_outage_is_an_alarm_with_its_reason_until_it_is_over(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    market = ScriptedMarket(listed=VenueError("connection refused"))
    board = await start(nursery, market, {})
    alarm = await board.receive()
    assert (alarm.is_over, "connection refused" in alarm.text) == (False, True)
    market.listed = {BTC.symbol: BTC}
    await trio.sleep(6)
    over = await board.receive()
    assert over.is_over


async def test_the_next_life_takes_the_alarm_back(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    board = await start(nursery, ScriptedMarket(), {})
    assert (await board.receive()).is_over


async def test_ready_means_known(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    market, instruments = ScriptedMarket(slow_s={"": 3.0}), dict[str, Instrument]()
    await start(nursery, market, instruments)
    assert instruments == {BTC.symbol: BTC}


async def test_an_outage_keeps_nobody_from_starting(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    market, instruments = ScriptedMarket(listed=VenueError("down")), dict[str, Instrument]()
    begun_s = trio.current_time()
    await start(nursery, market, instruments)
    assert trio.current_time() - begun_s == pytest.approx(READY_S)
    market.listed = {BTC.symbol: BTC}
    await trio.sleep(6)
    assert instruments == {BTC.symbol: BTC}


async def test_filters_and_listings_are_learned_again_in_the_same_mapping(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    market, instruments = ScriptedMarket(), dict[str, Instrument]()
    await start(nursery, market, instruments)
    halted = attrs.evolve(ETH, is_trading=False)
    market.listed = {ETH.symbol: halted}
    await trio.sleep(3601)
    assert instruments == {ETH.symbol: halted}


@pytest.mark.parametrize("listed", [{}, VenueError("down")])
async def test_no_answer_forgets_nothing(
    autojump_clock: MockClock,
    nursery: trio.Nursery,
    listed: dict[str, Instrument] | VenueError,
) -> None:
    market, instruments = ScriptedMarket(), dict[str, Instrument]()
    await start(nursery, market, instruments)
    market.listed = listed
    await trio.sleep(7200)
    assert instruments == {BTC.symbol: BTC}


async def test_a_venue_that_never_answers_is_asked_again(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    market = ScriptedMarket(slow_s={"": 1e6})
    await start(nursery, market, {})
    await trio.sleep(40)
    assert len(market.asked_for("instruments")) >= 2


async def test_a_refused_order_has_the_filters_asked_for_again_but_not_without_end(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """I-12: an exit that the new lot refuses would be refused for an hour."""
    market, instruments = ScriptedMarket(), dict[str, Instrument]()
    mailbox = Mailbox[Any]("catalogue:binance")
    await start(nursery, market, instruments, mailbox)
    await trio.sleep(600)
    coarse = attrs.evolve(BTC, lot=Decimal("0.001"))
    market.listed = {BTC.symbol: coarse}
    mailbox.latest(SYMBOL, ListingDoubted(SYMBOL, "-1013: LOT_SIZE"))
    await wait_all_tasks_blocked()
    assert instruments == {BTC.symbol: coarse}
    for _ in range(120):
        mailbox.latest(SYMBOL, ListingDoubted(SYMBOL, "-2010: too little"))
        await trio.sleep(1)
    assert len(market.asked_for("instruments")) <= 2 + 120 / DOUBTED_S
