"""Orders: sent once by one road, and what became of them is never guessed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
import trio

from actors.messages import OrderStatus, VenueAck, VenueReject, VenueUnknown
from adapters.binance import Endpoints, ForeignHost, open_binance
from adapters.binance.codec import orders_writer, rest
from adapters.binance.trading import NOT_SENT
from adapters.binance.verdict import Endpoint, judge_fault
from adapters.errors import Archived, ConnectionLost, VenueError, VenueRefused
from tests.adapters.binance_desk import (
    BUY,
    KEY,
    NOW_MS,
    OPEN,
    SECRET,
    Sealed,
    StillClock,
    opened,
    placed,
)
from tests.adapters.peers import http

KEYS = (Sealed(KEY), Sealed(SECRET))
BROKE = "Account has insufficient balance for requested action."


def fault(status: int, code: int, text: str) -> bytes:
    return http(status, rest.encode_fault(code, text))


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (http(200, orders_writer.encode(placed())), VenueAck),
        (fault(400, -2010, BROKE), VenueReject),
        (fault(400, -1013, "Filter failure: LOT_SIZE"), VenueReject),
        (fault(400, -1021, "Timestamp outside of the recvWindow."), VenueReject),
        (http(429, headers="Retry-After: 3\r\n"), VenueReject),
        (fault(400, -2010, "Duplicate order sent."), VenueUnknown),
        (fault(400, -2010, "Something nobody documented."), VenueUnknown),
        (fault(400, -1007, "Timeout waiting for response."), VenueUnknown),
        (fault(400, -1006, "Execution status unknown."), VenueUnknown),
        (fault(400, -1000, "An unknown error occurred."), VenueUnknown),
        (fault(500, -1013, "Filter failure: LOT_SIZE"), VenueUnknown),
        (http(502, "<html>Bad gateway</html>"), VenueUnknown),
        (http(403, "<html>WAF</html>"), VenueUnknown),
        (http(200, "{}"), VenueUnknown),
        (http(200, "not json"), VenueUnknown),
        (b"HTTP/1.1 200 OK\r\n", VenueUnknown),
        (None, VenueUnknown),
    ],
)  # fmt: skip
async def test_the_outcome_over_rest_is_what_the_venue_said_or_unknown(
    said: bytes | None, outcome: type, nursery: trio.Nursery
) -> None:
    async with opened(nursery, lambda _line, _headers: said) as (desk, binance):
        result = await binance.trading(*KEYS).place(BUY)
        assert type(result) is outcome
        assert result.client_order_id == BUY.client_order_id
        assert len([line for line in desk.requests if line.startswith("POST")]) == 1


async def test_an_order_is_sent_signed_with_its_own_client_id(
    nursery: trio.Nursery,
) -> None:
    said = http(200, orders_writer.encode(placed()))
    async with opened(nursery, lambda _line, _headers: said) as (desk, binance):
        ack = await binance.trading(*KEYS).place(BUY)
        assert ack == VenueAck(
            BUY.client_order_id, "28", OrderStatus.OPEN, Decimal(0), NOW_MS
        )
        method, target, _ = desk.requests[-1].split()
        query = {
            name: values[0] for name, values in parse_qs(urlsplit(target).query).items()
        }
        assert method == "POST"
        assert len(query.pop("signature")) == 64
        assert query == {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "quantity": "0.5",
            "newClientOrderId": BUY.client_order_id,
            "newOrderRespType": "FULL",
            "timeInForce": "GTC",
            "price": "100.25",
            "recvWindow": "5000",
            "timestamp": str(NOW_MS),
        }
        assert f"X-MBX-APIKEY: {KEY}".lower() in desk.heads[-1].lower()


async def test_an_order_that_could_not_leave_is_definitely_not_sent() -> None:
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    nowhere = Endpoints("ws://127.0.0.1:1", "ws://127.0.0.1:1", f"http://127.0.0.1:{port}")
    async with open_binance(
        nowhere, clock=StillClock(), allow_foreign_host=True
    ) as binance:
        result = await binance.trading(*KEYS).place(BUY)
    assert isinstance(result, VenueReject)
    assert result.code == NOT_SENT


async def test_a_ban_holds_for_orders_and_questions_alike(nursery: trio.Nursery) -> None:
    said = iter([http(418, headers="Retry-After: 120\r\n")])
    async with opened(nursery, lambda _line, _headers: next(said)) as (desk, binance):
        trading = binance.trading(*KEYS)
        banned = await trading.place(BUY)
        count = len(desk.requests)
        again = await trading.place(BUY)
        with pytest.raises(VenueError, match="forbids requests"):
            await trading.balances()
        with pytest.raises(VenueError, match="forbids requests"):
            await binance.market.ticker("BTC/USDT")
        assert len(desk.requests) == count  # zero requests in the window
        assert isinstance(banned, VenueReject)
        assert isinstance(again, VenueReject)
        assert again.code == NOT_SENT


async def test_too_many_orders_are_one_account_s_matter(nursery: trio.Nursery) -> None:
    refusal = rest.encode_fault(-1015, "Too many new orders.")
    said = iter([http(429, refusal, "Retry-After: 8\r\n"), http(200, "[]")])
    async with opened(nursery, lambda _line, _headers: next(said)) as (_, binance):
        trading = binance.trading(*KEYS)
        first, second = await trading.place(BUY), await trading.place(BUY)
        assert isinstance(first, VenueReject)
        assert isinstance(second, VenueReject)
        assert (first.code, second.code) == ("-1015", NOT_SENT)
        assert list(await trading.open_orders(["BTC/USDT"])) == []


def test_keys_are_not_sent_to_a_foreign_host() -> None:
    async def main() -> None:
        foreign = Endpoints(rest_url="https://evil.test")
        async with open_binance(foreign, clock=StillClock()) as binance:
            binance.trading(*KEYS)

    with pytest.raises(ForeignHost, match=r"evil\.test"):
        trio.run(main)


def test_every_5xx_is_unknown_whatever_its_code() -> None:
    for endpoint, code, status in itertools.product(
        Endpoint, (-1013, -2010, -2011), (500, 503)
    ):
        verdict = judge_fault(
            endpoint, "id", status=status, code=code, text="Market is closed."
        )
        assert isinstance(verdict, VenueUnknown)


async def test_a_cancel_names_the_order_by_its_client_id(nursery: trio.Nursery) -> None:
    gone = attrs.evolve(OPEN, status=OrderStatus.CANCELED)
    fields = orders_writer.canceled_fields(
        gone, "BTCUSDT", cancel_id="c-1", quote_filled=Decimal(0)
    )
    said = http(200, orders_writer.encode(fields))
    async with opened(nursery, lambda _line, _headers: said) as (desk, binance):
        ack = await binance.trading(*KEYS).cancel("BTC/USDT", BUY.client_order_id)
        assert isinstance(ack, VenueAck)
        assert (ack.client_order_id, ack.status) == (
            BUY.client_order_id,
            OrderStatus.CANCELED,
        )
        assert desk.requests[-1].startswith(
            "DELETE /api/v3/order?symbol=BTCUSDT&origClient"
        )


async def test_a_cancel_of_a_gone_order_is_a_definite_no(nursery: trio.Nursery) -> None:
    said = fault(400, -2011, "Unknown order sent.")
    async with opened(nursery, lambda _line, _headers: said) as (_, binance):
        result = await binance.trading(*KEYS).cancel("BTC/USDT", "gone")
        assert result == VenueReject("gone", "-2011", "Unknown order sent.")


async def test_a_query_finds_an_order_by_its_client_id_alone(nursery: trio.Nursery) -> None:
    fields = orders_writer.order_fields(
        OPEN, "BTCUSDT", quote_filled=Decimal(0), created_ms=NOW_MS
    )
    said = http(200, orders_writer.encode(fields))
    async with opened(nursery, lambda _line, _headers: said) as (desk, binance):
        found = await binance.trading(*KEYS).order("BTC/USDT", BUY.client_order_id)
        assert found == OPEN
        assert f"origClientOrderId={BUY.client_order_id}" in desk.requests[-1]


async def test_only_the_venue_says_that_an_order_does_not_exist(
    nursery: trio.Nursery,
) -> None:
    said = iter([
        fault(400, -2013, "Order does not exist."),
        http(500, "oops"),
        fault(401, -2015, "Invalid API-key, IP, or permissions for action."),
        None,
        http(200, "[]"),
    ])  # fmt: skip
    async with opened(nursery, lambda _line, _headers: next(said)) as (_, binance):
        trading = binance.trading(*KEYS)
        assert await trading.order("BTC/USDT", "x") is None
        for error in (ConnectionLost, VenueRefused, ConnectionLost, VenueError):
            with pytest.raises(error):
                await trading.order("BTC/USDT", "x")


async def test_an_order_that_ended_unfilled_months_ago_is_archived(
    nursery: trio.Nursery,
) -> None:
    text = (
        "Order was canceled or expired with no executed qty over 90 days ago"
        " and has been archived."
    )
    said = fault(400, -2026, text)
    async with opened(nursery, lambda _line, _headers: said) as (_, binance):
        with pytest.raises(Archived, match="-2026"):
            await binance.trading(*KEYS).order("BTC/USDT", "x")


DAY_MS = 24 * 3600 * 1000


def newest_of_a_span(times_ms: Sequence[int]) -> Callable[[str, str], bytes]:
    """Return a venue with these fills that answers with the most recent of a span."""

    def answer(line: str, _headers: str) -> bytes:
        query = {name: value for name, (value, *_) in
                 parse_qs(urlsplit(line.split()[1]).query).items()}  # fmt: skip
        start_ms, end_ms = int(query["startTime"]), int(query["endTime"])
        assert 0 < end_ms - start_ms < DAY_MS
        rows = [
            _trade_row(number, at_ms)
            for number, at_ms in enumerate(times_ms, start=1)
            if start_ms <= at_ms <= end_ms
        ]
        return http(200, orders_writer.encode(rows[-int(query["limit"]) :]))

    return answer


async def test_a_span_with_more_rows_than_an_answer_loses_none_of_them(
    nursery: trio.Nursery,
) -> None:
    quiet = [NOW_MS - 2 * DAY_MS, NOW_MS - DAY_MS - 1]
    busy = [NOW_MS - DAY_MS + 7 * number for number in range(2500)]
    async with opened(nursery, newest_of_a_span([*quiet, *busy])) as (_, binance):
        trading = binance.trading(*KEYS)
        fills = await trading.fills("BTC/USDT", since_ms=NOW_MS - 2 * DAY_MS)
        assert [int(fill.trade_id) for fill in fills] == list(range(1, 2503))


async def test_more_rows_at_one_moment_than_an_answer_has_are_an_error(
    nursery: trio.Nursery,
) -> None:
    async with opened(nursery, newest_of_a_span([NOW_MS] * 1000)) as (_, binance):
        with pytest.raises(VenueError, match="1000 rows or more"):
            await binance.trading(*KEYS).fills("BTC/USDT", since_ms=NOW_MS - DAY_MS)


def _trade_row(number: int, at_ms: int) -> dict[str, object]:
    return {
        "symbol": "BTCUSDT", "id": number, "orderId": 28, "orderListId": -1, "price": "1.0",
        "qty": "1.0", "quoteQty": "1.0", "commission": "0", "commissionAsset": "BTC",
        "time": at_ms, "isBuyer": True, "isMaker": False, "isBestMatch": True,
    }  # fmt: skip


async def test_no_error_text_shows_a_key_or_a_signature(nursery: trio.Nursery) -> None:
    said = iter(
        [http(500, "x"), None, http(200, "{"), http(403, "no"), http(418), http(400, "?")]
    )
    texts: list[str] = []
    async with opened(nursery, lambda _line, _headers: next(said)) as (desk, binance):
        trading = binance.trading(*KEYS)
        texts += [str(await trading.place(BUY)) for _ in range(5)]
        with pytest.raises(VenueError) as caught:
            await trading.balances()
        texts.append(repr(caught.value))
        texts.append(repr(trading))
        signatures = [line.rpartition("signature=")[2].split()[0] for line in desk.requests]
    for hidden in (KEY, SECRET, *[s for s in signatures if len(s) == 64]):
        assert hidden not in json.dumps(texts)
