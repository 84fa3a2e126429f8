"""The codec's two directions agree on orders: what the simulator says is what we hear."""

from __future__ import annotations

from decimal import Decimal

import attrs
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    BalancesHeard,
    VenueAck,
    VenueBalance,
    VenueOrder,
)
from adapters.binance.codec import (
    envelope,
    orders,
    orders_writer,
    private,
)
from tests.adapters.binance_words import (
    SYMBOLS,
    amounts,
    balances,
    fills_of,
    ids,
    names,
    times,
    venue_orders,
)


@given(venue_orders(), amounts, times)
def test_an_order_is_read_as_it_was_written(
    order: VenueOrder, quote: Decimal, created_ms: int
) -> None:
    fields = orders_writer.order_fields(
        order, "BTCUSDT", quote_filled=quote, created_ms=created_ms
    )
    assert orders.decode_order(orders_writer.encode(fields), SYMBOLS) == order
    assert orders.decode_orders(orders_writer.encode([fields]), SYMBOLS) == (order,)


@given(st.data(), venue_orders(), amounts)
def test_a_full_answer_is_read_as_it_was_written(
    data: st.DataObject, order: VenueOrder, quote: Decimal
) -> None:
    fills = [
        attrs.evolve(fill, is_maker=False)
        for fill in data.draw(st.lists(fills_of(order), max_size=3))
    ]
    body = orders_writer.encode(
        orders_writer.placed_fields(order, "BTCUSDT", quote_filled=quote, fills=fills)
    )
    assert orders.decode_placed(body, SYMBOLS) == VenueAck(
        order.client_order_id,
        order.venue_order_id,
        order.status,
        order.filled_base,
        order.update_ms,
        tuple(fills),
    )


@given(venue_orders(), names)
def test_a_cancel_answer_names_the_order_and_not_the_cancel(
    order: VenueOrder, cancel_id: str
) -> None:
    fields = orders_writer.canceled_fields(
        order, "BTCUSDT", cancel_id=cancel_id, quote_filled=Decimal(0)
    )
    ack = orders.decode_placed(orders_writer.encode(fields), SYMBOLS)
    assert ack.client_order_id == order.client_order_id


@given(st.data(), venue_orders())
def test_account_trades_are_read_as_they_were_written(
    data: st.DataObject, order: VenueOrder
) -> None:
    fill = data.draw(fills_of(order))
    body = orders_writer.encode([orders_writer.trade_fields(fill, "BTCUSDT")])
    nameless = attrs.evolve(fill, client_order_id="")
    assert orders.decode_trades(body, SYMBOLS) == (nameless,)


@given(balances, times)
def test_balances_are_read_as_they_were_written(
    held: tuple[VenueBalance, ...], now_ms: int
) -> None:
    fields = orders_writer.account_fields(
        held, maker=Decimal("0.001"), taker=Decimal("0.001"), update_ms=now_ms
    )
    assert orders.decode_account(orders_writer.encode(fields)) == held
    event = private.wrap_event(private.encode_position(held, now_ms))
    assert private.decode_user_event(event, SYMBOLS) == (BalancesHeard(held, now_ms),)


@given(venue_orders(), st.sampled_from(["", "cancel-request-1"]))
def test_a_report_is_heard_as_it_was_said(order: VenueOrder, cancel_id: str) -> None:
    event = private.encode_report(order, "BTCUSDT", execution="NEW", cancel_id=cancel_id)
    assert private.decode_user_event(private.wrap_event(event), SYMBOLS) == (order,)


@given(st.data(), venue_orders())
def test_a_trade_report_is_a_fill_and_the_new_state(
    data: st.DataObject, order: VenueOrder
) -> None:
    fill = data.draw(fills_of(order))
    event = private.encode_report(order, "BTCUSDT", execution="TRADE", fill=fill)
    assert private.decode_user_event(private.wrap_event(event), SYMBOLS) == (fill, order)


@given(ids | names, st.dictionaries(names, st.text(max_size=9) | ids, max_size=4))
def test_a_request_is_read_as_it_was_written(
    request_id: int | str, params: dict[str, str | int]
) -> None:
    text = envelope.encode_request(request_id, "order.place", params)
    heard = envelope.decode_request(text)
    assert (heard.id, heard.method, heard.params) == (request_id, "order.place", params)


@given(ids, st.sampled_from([400, 418, 429]), st.integers(-9999, -1), times)
def test_a_refused_request_says_until_when(
    request_id: int, status: int, code: int, until_ms: int
) -> None:
    text = envelope.encode_refusal(
        request_id, status, code, "no", retry_after_ms=until_ms, server_ms=until_ms
    )
    heard = envelope.decode_answer(text)
    assert heard.error is not None
    assert (heard.id, heard.status, heard.error.code) == (request_id, status, code)
    assert heard.retry_after_s(0) == 0.0


def test_an_event_is_told_from_an_answer() -> None:
    event = private.wrap_event(private.encode_stream_end(1_700_000_000_000))
    assert envelope.decode_answer(event).is_event
    assert not envelope.decode_answer(envelope.encode_answer(1, {})).is_event
