"""Facts and their JSON: exact both ways, and refused when a newer Shoal wrote them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    ExchangeDisconnected,
    Fact,
    Filled,
    OrderStatus,
    Protection,
    Refused,
    Side,
    Signal,
    SignalGenerated,
    SignalType,
)
from actors.messages.orders import Purpose
from actors.pure.facts import (
    FACT_TYPES,
    KINDS,
    UnreadableFact,
    decode,
    encode,
    key_of,
    kind_of,
)
from tests.words import ended, intended

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FINITE = st.floats(allow_nan=False, allow_infinity=False)

st.register_type_strategy(str, TEXT)
st.register_type_strategy(Decimal, st.decimals(allow_nan=False, allow_infinity=False))
st.register_type_strategy(int, st.integers(-(2**70), 2**70))
st.register_type_strategy(float, FINITE)
st.register_type_strategy(
    Signal,
    st.builds(
        Signal,
        type=st.sampled_from(SignalType),
        strength=FINITE,
        confidence=FINITE,
        reasons=st.lists(TEXT).map(tuple),
        indicators=st.dictionaries(TEXT, st.from_type(Decimal)),
    ),
)


def facts_of(fact_type: type[Any]) -> st.SearchStrategy[Any]:
    attrs.resolve_types(fact_type)
    fields = {each.name: st.from_type(each.type) for each in attrs.fields(fact_type)}
    return st.builds(fact_type, **fields)


FACTS: st.SearchStrategy[Fact] = st.one_of([facts_of(each) for each in FACT_TYPES])


def filled(trade_id: str = "7", symbol: str = "BTC/USDT") -> Filled:
    return Filled(
        bot="dawn",
        account="main",
        exchange="binance",
        symbol=symbol,
        client_order_id="c-1",
        trade_id=trade_id,
        side=Side.BUY,
        price=Decimal("50000.10"),
        base=Decimal("0.1"),
        fee=Decimal("0.0001"),
        fee_asset="BTC",
        is_maker=False,
        trade_ms=1,
    )


@given(FACTS)
def test_every_fact_survives_the_ledger_digit_for_digit(fact: Fact) -> None:
    again = decode(kind_of(type(fact)), encode(fact))

    assert (again, repr(again)) == (fact, repr(fact))


def test_every_fact_type_has_a_kind_of_its_own() -> None:
    assert len(KINDS) == len(FACT_TYPES) > 20


def test_a_kind_is_the_snake_case_of_its_class() -> None:
    assert kind_of(SignalGenerated) == "signal_generated"


def test_a_fill_is_known_by_exchange_account_symbol_trade_and_side() -> None:
    assert key_of(filled()) == "filled/binance/main/BTC/USDT/7/buy"


def test_a_denial_that_proved_wrong_keeps_the_true_end_not_out() -> None:
    """R-11: what is told twice is one fact; what contradicts it is another."""
    denied, filled_up = ended(OrderStatus.NOT_PLACED), ended(OrderStatus.FILLED, "1")
    assert key_of(denied) not in {None, key_of(filled_up)}
    assert key_of(filled_up) == key_of(ended(OrderStatus.CANCELED))


def test_a_refusal_without_an_intent_may_be_repeated() -> None:
    assert key_of(Refused("dawn", "main", "BTC/USDT", "", Purpose.ENTRY, "c", ())) is None


@given(facts_of(Filled), facts_of(Filled))
def test_two_fills_share_a_key_only_if_they_are_the_same_trade(
    a: Filled, b: Filled
) -> None:
    def names(fill: Filled) -> tuple[str, ...]:
        fill = attrs.evolve(fill, exchange="binance", account="main")
        return (fill.symbol, fill.trade_id, fill.side.value)

    a, b = (attrs.evolve(each, exchange="x", account="y", symbol="A/B") for each in (a, b))

    assert (key_of(a) == key_of(b)) == (names(a) == names(b))


def test_a_kind_from_a_newer_shoal_is_refused() -> None:
    with pytest.raises(UnreadableFact, match=r"'margin_called'.*newer Shoal"):
        decode("margin_called", b"{}")


def test_a_field_from_a_newer_shoal_is_refused() -> None:
    body = b'{"exchange": "binance", "reason": "EOF", "code": 1006}'

    with pytest.raises(UnreadableFact, match="exchange_disconnected: field 'code'"):
        decode("exchange_disconnected", body)


def test_a_field_from_a_newer_shoal_is_refused_inside_a_signal_too() -> None:
    signal = Signal(SignalType.BUY, 0.5, 0.5, ())
    fact = SignalGenerated("dawn", "BTC/USDT", signal, Decimal(1), 2, 0)
    parsed = msgspec.json.decode(encode(fact))
    parsed["signal"]["horizon_s"] = 60

    with pytest.raises(UnreadableFact, match=r"field 'signal.horizon_s'"):
        decode("signal_generated", msgspec.json.encode(parsed))


def test_a_field_from_a_newer_shoal_is_refused_inside_what_may_be_missing() -> None:
    decided = intended(protection=Protection(Decimal(2)))
    parsed = msgspec.json.decode(encode(decided))
    parsed["protection"]["break_even_percent"] = "1"

    assert decode("intended", encode(intended())) == intended()
    older = {name: value for name, value in parsed.items() if name != "protection"}
    assert decode("intended", msgspec.json.encode(older)) == intended()
    with pytest.raises(UnreadableFact, match=r"field 'protection.break_even_percent'"):
        decode("intended", msgspec.json.encode(parsed))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"exchange": 1}', b"\xff\xfe"])
def test_a_damaged_body_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableFact):
        decode("exchange_disconnected", body)


@pytest.mark.parametrize("strength", [float("nan"), float("inf"), True])
def test_a_signal_that_could_not_be_read_back_is_never_written(strength: float) -> None:
    signal = Signal(SignalType.BUY, strength, 0.5, ())

    with pytest.raises(ValueError, match="strength"):
        encode(SignalGenerated("dawn", "BTC/USDT", signal, Decimal(1), 2, 0))


@pytest.mark.parametrize("value", [float("nan"), None])
def test_an_indicator_that_could_not_be_read_back_is_never_written(value: Any) -> None:
    signal = Signal(SignalType.HOLD, 0.5, 0.5, (), {"rsi": value})

    with pytest.raises(ValueError, match="indicators"):
        encode(SignalGenerated("dawn", "BTC/USDT", signal, Decimal(1), 2, 0))


def test_a_text_that_is_not_unicode_is_never_written() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        encode(ExchangeDisconnected("binance", "\ud800"))
