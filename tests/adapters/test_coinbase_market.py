"""Public REST, the gate with its pace and its ban, the clock, and where keys may go."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
import trio

from actors.messages import Source
from adapters.coinbase import open_coinbase
from adapters.coinbase.codec.times import epoch_ms
from adapters.coinbase.gate import CONNECTS_MAX, WAIT_S_MAX, Bucket, Gate
from adapters.endpoints import Endpoints, ForeignHost
from adapters.errors import (
    ConnectionLost,
    NotListed,
    RateLimited,
    VenueError,
    VenueRefused,
)
from adapters.secrets import SecretError
from tests.adapters.coinbase_script import (
    ADVANCED,
    EXCHANGE,
    NOW_MS,
    Asked,
    Said,
    Sealed,
    StillClock,
    opened,
)

MINUTE_S = NOW_MS // 1000 // 60 * 60


async def test_instruments_are_told_by_canonical_name(nursery: trio.Nursery) -> None:
    async with opened(nursery) as (desk, coinbase):
        found = await coinbase.market.instruments()
        assert sorted(found) == ["BTC/USD", "ETH/USD"]
        (asked,) = desk.asked
        assert asked.headers["user-agent"] == "shoal"
        assert coinbase.market.terms.is_book_streamed
        assert coinbase.market.terms.subscriptions_max >= 50


async def test_a_ticker_over_rest_says_that_it_is_one(nursery: trio.Nursery) -> None:
    body = {"price": "2", "bid": "1", "ask": "3", "volume": "9", "trade_id": 5}
    async with opened(nursery, lambda _: Said(body)) as (desk, coinbase):
        ticker = await coinbase.market.ticker("BTC/USD")
        assert (ticker.last, ticker.source) == (Decimal(2), Source.REST)
        assert desk.asked[-1].path == "/products/BTC-USD/ticker"
        with pytest.raises(NotListed):
            await coinbase.market.ticker("XYZ/USD")


async def test_a_book_over_rest_is_whole(nursery: trio.Nursery) -> None:
    body = {"sequence": 7, "bids": [["1", "2", 3]], "asks": [["2", "1", 1]]}
    async with opened(nursery, lambda _: Said(body)) as (desk, coinbase):
        book = await coinbase.market.book("BTC/USD")
        assert (book.last_id, book.bids) == (7, ((Decimal(1), Decimal(2)),))
        assert desk.asked[-1].params == [("level", "2")]


@pytest.mark.parametrize(
    ("status", "text"), [(404, "NotFound"), (400, "Not allowed for delisted products")]
)
async def test_a_product_that_is_gone_is_not_listed(
    nursery: trio.Nursery, status: int, text: str
) -> None:
    gone = Said({"message": text}, status)
    async with opened(nursery, lambda _: gone) as (_, coinbase):
        with pytest.raises(NotListed):
            await coinbase.market.ticker("BTC/USD")


def rows_between(asked: Asked) -> Said:
    """Answer with a candle a minute, newest first, but for one without trades."""
    begin, end = (epoch_ms(asked.all(name)[0]) // 1000 for name in ("start", "end"))
    step = int(asked.all("granularity")[0])
    times = [at for at in range(begin, end + 1, step) if at != MINUTE_S - 120]
    assert len(times) <= 300
    return Said([[at, 1.5, 2.5, 2, 2.25, 0.1] for at in reversed(times)])


async def test_candles_come_in_as_many_pages_as_it_takes(nursery: trio.Nursery) -> None:
    async with opened(nursery, rows_between) as (desk, coinbase):
        found = await coinbase.market.candles("BTC/USD", "1m", limit=400)
        quiet = MINUTE_S - 120
        times = [MINUTE_S - 60 * n for n in range(399, -1, -1)]
        assert [it.open_ms // 1000 for it in found] == [at for at in times if at != quiet]
        assert [it.is_closed for it in found[-2:]] == [True, False]
        assert len(desk.of("GET", "/products/BTC-USD/candles")) == 2
        with pytest.raises(VenueError, match="no candles of '3m'"):
            await coinbase.market.candles("BTC/USD", "3m", limit=5)
        assert "3m" not in coinbase.market.terms.history


async def test_the_offset_of_the_venues_clock_is_measured_and_kept(
    nursery: trio.Nursery,
) -> None:
    body = {"iso": "x", "epoch": (NOW_MS + 5000) / 1000}
    async with opened(nursery, lambda _: Said(body)) as (_, coinbase):
        offset_ms, trip_ms = await coinbase.market.measure_offset()
        assert abs(offset_ms - 5000) <= trip_ms + 1
        trading = coinbase.trading(*ADVANCED)
        assert trading.now_ms() == NOW_MS + offset_ms


@pytest.mark.parametrize(
    ("said", "error", "text"),
    [
        (Said({"message": "Forbidden"}, 403), VenueRefused, "403: Forbidden"),
        (Said({"message": "oops"}, 500), ConnectionLost, "HTTP 500"),
        (Said(b"<html>", 403), VenueError, "HTTP 403"),
    ],
)
async def test_questions_fail_by_name(
    nursery: trio.Nursery, said: Said, error: type[VenueError], text: str
) -> None:
    async with opened(nursery, lambda _: said) as (_, coinbase):
        with pytest.raises(error, match=text):
            await coinbase.market.ticker("BTC/USD")


@pytest.mark.parametrize(("headers", "least_s"), [("", 9.0), ("retry-after: 30\r\n", 29.0)])
async def test_too_many_requests_close_the_gate_for_everybody(
    nursery: trio.Nursery, headers: str, least_s: float
) -> None:
    said = Said({"message": "Public rate limit exceeded"}, 429, headers)
    async with opened(nursery, lambda _: said) as (desk, coinbase):
        with pytest.raises(RateLimited):
            await coinbase.market.ticker("BTC/USD")
        asked = len(desk.asked)
        with pytest.raises(RateLimited) as closed:
            await coinbase.market.book("BTC/USD")
        with pytest.raises(RateLimited):
            await coinbase.trading(*ADVANCED).balances()
        assert len(desk.asked) == asked  # nothing leaves meanwhile
        assert least_s < closed.value.retry_after_s <= 30.0


def test_requests_wait_their_turn_and_those_that_would_wait_too_long_are_refused() -> None:
    bucket = Bucket(per_s=2.0, burst=2.0)
    waits = [bucket.draw(100.0) for _ in range(10)]
    assert waits == [0.5 * n for n in range(1, 11)]
    with pytest.raises(RateLimited):
        bucket.draw(100.0)
    assert bucket.draw(100.0 + WAIT_S_MAX) == 0.5


def test_a_bucket_holds_no_more_than_its_burst() -> None:
    bucket = Bucket(per_s=2.0, burst=2.0)
    bucket.draw(0.0)
    assert [bucket.draw(1000.0) for _ in range(3)] == [0.0, 0.0, 0.5]


async def test_what_leaves_in_a_second_is_below_the_venues_limit(
    autojump_clock: trio.testing.MockClock,
) -> None:
    gate, left_s = Gate(StillClock()), list[float]()

    async def ask() -> None:
        await gate.enter(gate.public)
        left_s.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        for _ in range(40):
            nursery.start_soon(ask)
    busiest = max(sum(at <= other < at + 1 for other in left_s) for at in left_s)
    assert len(left_s) == 40
    assert busiest <= 10


async def test_connections_have_a_budget_of_their_own(
    autojump_clock: trio.testing.MockClock,
) -> None:
    gate = Gate(StillClock())
    for _ in range(CONNECTS_MAX):
        gate.connect()
    with pytest.raises(RateLimited, match="connections"):
        gate.connect()
    await trio.sleep(61)
    gate.connect()


@pytest.mark.parametrize(
    ("endpoints", "keys", "text"),
    [
        (Endpoints(trading_rest_url="https://api.evil.test"), ADVANCED, "evil"),
        (Endpoints(ws_api_url="wss://evil.test"), ADVANCED, "evil"),
        (Endpoints(trading_rest_url="http://api.coinbase.com"), ADVANCED, "in the clear"),
        (Endpoints(rest_url="https://api.evil.test"), EXCHANGE, "evil"),
        (Endpoints(url="wss://evil.test"), EXCHANGE, "evil"),
    ],
)
async def test_keys_stay_with_the_venue(
    endpoints: Endpoints, keys: tuple[Sealed, ...], text: str
) -> None:
    async with open_coinbase(endpoints, clock=StillClock()) as coinbase:
        with pytest.raises(ForeignHost, match=text):
            coinbase.trading(*keys)


@pytest.mark.parametrize(
    "where",
    [
        {},
        {
            "rest_url": "https://api-public.sandbox.exchange.coinbase.com",
            "trading_rest_url": "https://api-sandbox.coinbase.com",
        },
        {
            "url": "wss://ws-us.dma.prime.coinbase.com",
            "rest_url": "https://api-us.dma.prime.coinbase.com",
        },
    ],
)
async def test_the_venue_has_several_places(where: Mapping[str, str]) -> None:
    async with open_coinbase(Endpoints(**where), clock=StillClock()) as coinbase:
        assert coinbase.trading(*ADVANCED).now_ms() == NOW_MS
        assert coinbase.trading(*EXCHANGE).now_ms() == NOW_MS


@pytest.mark.parametrize(
    "where", ["http://127.0.0.1:1", "https://api-public.sandbox.exchange.coinbase.com"]
)
async def test_prices_of_one_place_are_not_traded_at_another(where: str) -> None:
    here = Endpoints(url=where.replace("http", "ws"), rest_url=where)
    async with open_coinbase(here, clock=StillClock(), allow_foreign_host=True) as coinbase:
        with pytest.raises(ForeignHost, match=r"orders would go to api\.coinbase\.com"):
            coinbase.trading(*ADVANCED)
        coinbase.trading(*EXCHANGE)


async def test_a_secret_that_signs_nothing_is_refused_at_once() -> None:
    async with open_coinbase(clock=StillClock()) as coinbase:
        with pytest.raises(SecretError):
            coinbase.trading(ADVANCED[0], Sealed("nonsense"))
        with pytest.raises(SecretError):
            coinbase.trading(ADVANCED[0], Sealed("?"), Sealed("p"))
