"""What is wanted outlives the feed that serves it."""

from __future__ import annotations

from typing import Any

import pytest

from actors.demand import Demand
from actors.mailbox import Mailbox
from actors.messages import Channel, Subscription, Wanted
from tests.words import SYMBOL

TICKER = frozenset({Subscription(SYMBOL, Channel.TICKER)})
CANDLES = frozenset({Subscription(SYMBOL, Channel.CANDLES, "1m")})


@pytest.fixture
async def mailboxes() -> list[Mailbox[Any]]:
    return [Mailbox[Any]("feed:binance"), Mailbox[Any]("fallback:binance")]


async def test_the_newest_want_of_each_reader_is_kept(
    mailboxes: list[Mailbox[Any]],
) -> None:
    demand = Demand("binance", mailboxes)
    demand.want(Wanted("dawn", TICKER))
    demand.want(Wanted("dusk", TICKER))
    demand.want(Wanted("dawn", CANDLES))
    assert demand.current() == {
        "dawn": Wanted("dawn", CANDLES),
        "dusk": Wanted("dusk", TICKER),
    }


async def test_who_wants_nothing_is_forgotten_and_those_who_serve_are_told(
    mailboxes: list[Mailbox[Any]],
) -> None:
    demand = Demand("binance", mailboxes)
    demand.want(Wanted("dawn", TICKER))
    demand.want(Wanted("dawn", frozenset()))
    assert demand.current() == {}
    assert [box.receive_nowait() for box in mailboxes] == [Wanted("dawn", frozenset())] * 2


async def test_an_untaken_want_is_replaced_by_the_next_of_its_reader(
    mailboxes: list[Mailbox[Any]],
) -> None:
    demand = Demand("binance", mailboxes)
    demand.want(Wanted("dawn", TICKER))
    demand.want(Wanted("dusk", TICKER))
    demand.want(Wanted("dawn", CANDLES))
    assert mailboxes[0].depth == 2


async def test_nobody_can_change_what_is_wanted_from_outside(
    mailboxes: list[Mailbox[Any]],
) -> None:
    current: Any = Demand("binance", mailboxes).current()
    with pytest.raises(TypeError):
        current["dawn"] = Wanted("dawn", TICKER)


async def test_a_follower_wants_what_others_want_of_its_symbols(
    mailboxes: list[Mailbox[Any]],
) -> None:
    demand = Demand("binance", mailboxes)
    demand.want(Wanted("risk", TICKER, is_follower=True))
    assert demand.current() == {}
    demand.want(Wanted("dawn", TICKER | CANDLES))
    assert demand.current()["risk"].subscriptions == TICKER


async def test_a_follower_keeps_nothing_subscribed(mailboxes: list[Mailbox[Any]]) -> None:
    demand = Demand("binance", mailboxes)
    demand.want(Wanted("dawn", TICKER))
    demand.want(Wanted("risk", TICKER, is_follower=True))
    demand.want(Wanted("dawn", frozenset()))
    assert demand.current() == {}
    told = [mailboxes[0].receive_nowait() for _ in range(2)]
    assert [(each.reader, each.subscriptions) for each in told if each is not None] == [
        ("dawn", frozenset()),
        ("risk", frozenset()),
    ]


async def test_a_follower_is_told_of_nothing_that_does_not_concern_it(
    mailboxes: list[Mailbox[Any]],
) -> None:
    demand = Demand("binance", mailboxes)
    demand.want(Wanted("risk", TICKER, is_follower=True))
    demand.want(Wanted("dawn", CANDLES))
    assert mailboxes[0].depth == 1
