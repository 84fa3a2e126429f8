"""What Kraken's words and counters allow: nothing is sent before its time."""

from __future__ import annotations

import errno
import json
from decimal import Decimal

import attrs
import pytest
import trio
from trio.testing import MockClock
from trio_websocket import WebSocketConnection

from actors.messages import OrderType, Side, VenueAck, VenueReject, VenueReplaced
from actors.ports import NotListed, RateLimited
from adapters.endpoints import Endpoints
from adapters.http import HttpClient
from adapters.kraken.caller import STARTER
from adapters.kraken.nonces import RamNonces
from adapters.kraken.venue import Venue
from adapters.limits import Limits
from adapters.simulator.config import KrakenLimits
from adapters.sockets import Timing
from adapters.streams import dial
from tests.actors.ledger_room import RunClock
from tests.adapters.kraken_desk import (
    CONFIG,
    IDS,
    KEYS,
    by_socket,
    fault,
    market,
    opened,
    order,
)
from tests.adapters.peers import http
from tests.adapters.test_kraken_private import BTC, answer, scripted

STOP = order(
    0,
    OrderType.STOP_LOSS_LIMIT,
    side=Side.SELL,
    stop_price=Decimal(50_000),
    limit_price=Decimal(49_000),
)
THROTTLED = "EService: Throttled: 1700000120"


@pytest.mark.parametrize("is_by_socket", [True, False])
async def test_an_order_that_is_throttled_closes_the_gate(
    nursery: trio.Nursery, is_by_socket: bool
) -> None:
    """R-28: the venue says until when, whatever it was that was asked."""

    async def talk(peer: WebSocketConnection) -> None:
        while True:
            asked = json.loads(await peer.get_message())
            told.append(asked["method"])
            reply = {"method": asked["method"], "req_id": asked["req_id"]}
            is_order = asked["method"] == "add_order"
            reply |= {"success": not is_order, "error": THROTTLED if is_order else ""}
            await peer.send_message(json.dumps(reply))

    told: list[str] = []
    throttled = answer(None, THROTTLED)
    async with scripted(nursery, lambda _path: throttled, talk=talk) as (desk, kraken, _):
        trading = kraken.trading(*KEYS)
        if is_by_socket:
            async with by_socket(trading):
                await trading.place(order(1))
                said = [await trading.place(order(2)), await trading.cancel(BTC, IDS[1])]
        else:
            await trading.place(order(1))
            said = [await trading.place(order(2)), await trading.cancel(BTC, IDS[1])]
    asked = told.count("add_order") + sum("AddOrder" in line for line in desk.requests)
    codes = [each.code for each in said if isinstance(each, VenueReject)]
    assert (asked, codes) == (1, ["not_sent", "not_sent"])


async def test_questions_that_wait_for_room_have_it_one_after_the_other(
    autojump_clock: MockClock,
) -> None:
    """A pass and an order that is looked for ask at the same time: neither fails."""
    del autojump_clock

    async def ask() -> None:
        await venue.wait("calls", STARTER.calls, 1)
        entered_s.append(round(trio.current_time() - begun_s))

    clock, begun_s, entered_s = RunClock(), trio.current_time(), list[int]()
    client, limits = HttpClient("https://venue.test"), Limits(clock)
    venue = Venue(Endpoints(), clock, Timing(), dial, client, client, limits)
    limits.fill("calls", STARTER.calls)
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(ask)
    assert entered_s == [3, 6, 9]


@pytest.mark.parametrize(
    "refusal", [http(429, "error code: 1015"), answer(None, "EGeneral:Temporary lockout")]
)
async def test_questions_that_wait_for_their_turn_are_not_asked_after_a_ban(
    nursery: trio.Nursery, refusal: bytes
) -> None:
    """R-28: zero requests while the venue forbids them, those in a queue included."""

    async def ask() -> None:
        with pytest.raises(RateLimited):
            await trading.balances()

    async with scripted(nursery, lambda _path: refusal) as (desk, kraken, _):
        await kraken.market.instruments()
        trading = kraken.trading(*KEYS)
        async with trio.open_nursery() as asking:
            for _ in range(3):
                asking.start_soon(ask)
    assert sum("BalanceEx" in line for line in desk.requests) == 1


async def test_the_deadline_of_an_order_begins_when_its_turn_has_come(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one call takes is not lost to the next: the venue would refuse it as late."""
    monkeypatch.setattr("adapters.kraken.order_roads.DEADLINE_MS", 400)
    async with opened(nursery) as (simulator, kraken):
        trading, outcomes = kraken.trading(*KEYS), list[object]()

        async def place(number: int) -> None:
            outcomes.append(await trading.place(order(number)))

        await kraken.market.instruments()
        simulator.inject(fault("late_ack", delay_s=0.7, times=1))
        async with trio.open_nursery() as placing:
            placing.start_soon(place, 1)
            placing.start_soon(place, 2)
    assert [type(each) for each in outcomes] == [VenueAck, VenueAck]


async def test_a_pair_that_is_gone_is_not_listed(nursery: trio.Nursery) -> None:
    async with scripted(nursery, lambda _path: answer()) as (_, kraken, _):
        with pytest.raises(NotListed):
            await kraken.market.ticker(BTC)


class FullDisk(RamNonces):
    def keep(self, nonce: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_full_disk_keeps_no_order_and_no_cancel_from_leaving(
    nursery: trio.Nursery,
) -> None:
    """D-2, I-12: a nonce that is not remembered is used all the same."""
    async with opened(nursery) as (_, kraken):
        trading = kraken.trading(*KEYS, nonces=FullDisk())
        async with by_socket(trading):  # which needs a token, over REST
            placed = await trading.place(order(1))
        cancelled = await trading.cancel(BTC, IDS[1])
        still_open = await trading.open_orders([BTC])
    assert isinstance(placed, VenueAck)
    assert isinstance(cancelled, VenueAck)
    assert still_open == []


async def test_a_cancel_needs_nothing_that_the_venue_lists(nursery: trio.Nursery) -> None:
    """I-12: an order rests on though its pair has left the list, or that is not told."""
    async with scripted(nursery, lambda _path: answer({"count": 1})) as (desk, kraken, _):
        said = await kraken.trading(*KEYS).cancel("GONE/USDT", IDS[1])
    assert isinstance(said, VenueAck)
    assert ["CancelOrder" in line for line in desk.requests] == [True]


async def test_no_stop_is_cancelled_whose_replacement_would_be_refused(
    nursery: trio.Nursery,
) -> None:
    """I-14: a cancel of a young order counts eight, and leaves no room for the next one."""
    tight = KrakenLimits(orders_max=60, orders_1s=1)
    async with opened(nursery, attrs.evolve(CONFIG, kraken_limits=tight)) as (_, kraken):
        trading = kraken.trading(*KEYS)
        async with by_socket(trading):
            await trading.place(STOP)
            resting, replaced = IDS[0], list[VenueReplaced]()
            for number in range(1, 12):
                moved = attrs.evolve(STOP, client_order_id=IDS[number])
                replaced.append(await trading.replace(resting, moved))
                if isinstance(replaced[-1].cancelled, VenueAck):
                    resting = IDS[number]
            found = await trading.open_orders([BTC])
            sold = await trading.replace(resting, market(12, Side.SELL))
    halves = {(type(both.cancelled), type(both.placed)) for both in replaced}
    assert halves == {(VenueAck, VenueAck), (VenueReject, VenueReject)}
    assert [each.client_order_id for each in found] == [resting]
    assert isinstance(sold.placed, VenueAck)  # exits have the last of the room (I-12)
