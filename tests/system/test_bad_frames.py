"""Frames that no exchange should send: refused and counted, and no bot is fed with them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.messages import (
    ExchangeConnected,
    ExchangeDisconnected,
    ExitTriggered,
    Filled,
    PositionOpened,
    PriceUpdated,
)
from tests.system.fleet_desk import Desk, only, running_fleet, write_strategy
from tests.system.frames import Forger, forging
from tests.system.processes import KEY, SECRET, running_sim, write_live_fleet

KEYS = {"SHOAL_TEST_KEY": KEY, "SHOAL_TEST_SECRET": SECRET}
HOLDS = '''
from actors.messages import Signal, SignalType


class Churn:
    """Buy once, and hold."""

    candles_min = 0

    def evaluate(self, view):
        kind = SignalType.BUY if view.position is None else SignalType.HOLD
        return Signal(kind, 1.0, 1.0, ("once",))
'''
SANE = (Decimal(30_000), Decimal(90_000))


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Forger]]:
    home = tmp_path_factory.mktemp("frames")
    with running_sim() as sim, forging(sim.url) as forger:
        file = write_live_fleet(home, sim, bots=1)
        write_strategy(home, "churn", HOLDS)
        text = file.read_text().replace(f'"{sim.url}"', f'"{forger.url}"')
        file.write_text(f"{text}\n[journal]\nprice_every_s = 0.1\n")
        with running_fleet(file, "--live", environment=KEYS) as desk:
            desk.wait_for(PositionOpened)
            yield desk, forger


def forged(forger: Forger, **fields: Any) -> str:
    """Return the exchange's last ticker with other fields in it."""
    frame = msgspec.json.decode(forger.last('"24hrTicker"'))
    frame["data"] |= fields
    return msgspec.json.encode(frame).decode()


def refused(desk: Desk) -> int:
    return desk.now()["exchanges"]["binance"]["bad_frames"]


@pytest.mark.parametrize(
    "price",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "-1",
        "0.00000000",
        "1e400",
        "1E5",
        "9" * 30,
        "",
        "٣",
        None,
        60_000,
    ],
)
def test_a_price_that_no_market_can_mean_is_refused_and_counted(
    market: tuple[Desk, Forger], price: object
) -> None:
    desk, forger = market
    before = refused(desk)
    forger.say(forged(forger, c=price))
    desk.wait_until(lambda: refused(desk) == before + 1)
    assert desk.now()["exchanges"]["binance"]["is_connected"] is True


def test_no_bot_was_fed_with_any_of_them(market: tuple[Desk, Forger]) -> None:
    desk, _ = market
    seen = len(only(PriceUpdated, desk.facts()))
    desk.wait_until(lambda: len(only(PriceUpdated, desk.facts())) > seen)
    prices = [fact.price for fact in only(PriceUpdated, desk.facts())]
    assert SANE[0] < min(prices) <= max(prices) < SANE[1]
    assert desk.actors()["bots/bot:churn-0"]["incarnation"] == 1


def test_one_absurd_price_sells_nothing(market: tuple[Desk, Forger]) -> None:
    desk, forger = market
    heard = desk.actors()["positions:main"]["taken"]
    for price in ("0.01000000", "999999999.00000000"):
        forger.say(forged(forger, c=price, b=price, a=price))
    desk.wait_until(lambda: desk.actors()["positions:main"]["taken"] > heard + 2)
    assert only(ExitTriggered, desk.facts()) == []
    assert len(only(Filled, desk.facts())) == 1


@pytest.mark.parametrize(
    "frame",
    [
        "not json",
        '{"e":"24hrTicker"}',
        '{"stream":"btcusdt@ticker"}',
        "[" * 5000,
        b"\x00\xff",
    ],
)
def test_garbage_is_refused_and_the_feed_goes_on(
    market: tuple[Desk, Forger], frame: str | bytes
) -> None:
    desk, forger = market
    before, opened = refused(desk), forger.opened
    forger.say(frame)
    desk.wait_until(lambda: refused(desk) == before + 1 or forger.opened > opened)
    assert desk.actors()["feed:binance"]["incarnation"] == 1


def test_too_much_garbage_ends_the_connection_and_another_is_made(
    market: tuple[Desk, Forger],
) -> None:
    desk, forger = market
    cuts = len(only(ExchangeDisconnected, desk.facts()))
    for _ in range(25):
        forger.say("garbage")
    desk.wait_until(lambda: len(only(ExchangeDisconnected, desk.facts())) > cuts)
    assert "unreadable frames" in only(ExchangeDisconnected, desk.facts())[-1].reason
    reconnected(desk, forger)


def test_an_oversized_frame_ends_the_connection_and_another_is_made(
    market: tuple[Desk, Forger],
) -> None:
    desk, forger = market
    cuts = len(only(ExchangeDisconnected, desk.facts()))
    forger.say("x" * 20_000_000)
    desk.wait_until(lambda: len(only(ExchangeDisconnected, desk.facts())) > cuts)
    reconnected(desk, forger)


def reconnected(desk: Desk, forger: Forger) -> None:
    desk.wait_until(
        lambda: (
            len(only(ExchangeConnected, desk.facts()))
            > len(only(ExchangeDisconnected, desk.facts()))
        )
    )
    assert forger.opened == len(only(ExchangeConnected, desk.facts()))
    assert desk.actors()["feed:binance"]["incarnation"] == 1
