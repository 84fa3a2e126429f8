"""Facts as the ledger keeps them: kind, key and JSON, exact both ways. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import UnionType
from typing import Any, Final, TypeVar, cast, get_args

import attrs
import msgspec

from actors.messages import (
    Acknowledged,
    Attempted,
    CancelRejected,
    CancelRequested,
    Commanded,
    Corrected,
    Ended,
    ExitTriggered,
    Fact,
    Filled,
    FleetStarted,
    FleetStopped,
    Intended,
    LegsIntended,
    LegsSettled,
    OrderStatus,
    PositionClosed,
    PositionOpened,
    Refused,
    SignalGenerated,
)
from actors.pure.money import split_symbol

FACT_TYPES: Final[tuple[type[Fact], ...]] = get_args(Fact)

F = TypeVar("F")


class UnreadableFact(ValueError):
    """A row that this version cannot read: a newer Shoal wrote it, or it is damaged."""


def kind_of(fact_type: type[Fact]) -> str:
    """Return the name a fact is filed under: `PositionOpened` is `position_opened`."""
    return _KINDS[fact_type]


def key_of(fact: Fact) -> str | None:
    """Return what makes this fact one of its kind, or None where it may be repeated.

    The journal stores a key once: recording the fact again changes nothing (R-11).
    """
    parts = _KEYS.get(type(fact))
    values = parts(fact) if parts else ()
    return "/".join((_KINDS[type(fact)], *values)) if any(values) else None


def encode(fact: Fact) -> bytes:
    """Return the fact as JSON; Decimals are text and keep every digit.

    A signal was made by code that is not ours: it is read back before it is written, for
    one row that cannot be read ends every later start.

    Raises:
      ValueError: a text is not Unicode, or a signal could not be read back.
      TypeError: a field is of a class that JSON does not know.
    """
    body = _ENCODER.encode(fact)
    if isinstance(fact, SignalGenerated):
        decode(_KINDS[SignalGenerated], body)
    return body


def decode(kind: str, body: bytes) -> Fact:
    """Return the fact that `encode` wrote.

    Raises:
      UnreadableFact: the kind or a field of it is not known here.
    """
    try:
        decoder, fields = _DECODERS[kind]
    except KeyError:
        raise UnreadableFact(
            f"facts of kind {kind!r} are not known: a newer Shoal wrote this ledger"
        ) from None
    try:
        fact = decoder.decode(body)
        unknown = _unknown_fields(_RAW.decode(body), fields)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableFact(f"{kind}: {error}") from error
    if unknown:
        raise UnreadableFact(
            f"{kind}: field {unknown!r} is not known: a newer Shoal wrote this ledger"
        )
    return fact


def _unknown_fields(found: dict[str, msgspec.Raw], fields: dict[str, object]) -> str:
    """Return the first unknown field, as a path; msgspec itself passes over them."""
    for name, raw in found.items():
        if name not in fields:
            return name
        inner = fields[name]
        if isinstance(inner, dict):
            nested = cast("dict[str, object]", inner)
            if unknown := _unknown_fields(_RAW_OR_NONE.decode(raw) or {}, nested):
                return f"{name}.{unknown}"
    return ""


def _fields(of: type[Any]) -> dict[str, object]:
    """Return the names of a class's fields; the fields of a class inside under its name,
    also where there may be none of it.
    """
    attrs.resolve_types(of)
    return {field.name: _inside(field.type) for field in attrs.fields(of)}


def _inside(of: Any) -> dict[str, object] | None:
    types = get_args(of) if isinstance(of, UnionType) else (of,)
    found = [each for each in types if attrs.has(each)]
    return _fields(found[0]) if found else None


def _key(of: type[F], parts: Callable[[F], tuple[str, ...]]) -> tuple[Any, Any]:
    return of, parts


def _of_correction(fact: Corrected) -> tuple[str, ...]:
    """Return what makes it one: two that saw the same coins missing have one number."""
    asset, _ = split_symbol(fact.symbol)
    return (fact.account, asset, str(fact.number)) if fact.number else ()


def _of_end(fact: Ended) -> tuple[str, ...]:
    """Return what makes it one: that the venue never took an order may prove to be wrong,
    as `order_life` has it, and must not keep the true end out.
    """
    is_denied = fact.status in {OrderStatus.REJECTED, OrderStatus.NOT_PLACED}
    return (
        (fact.client_order_id, fact.status.value) if is_denied else (fact.client_order_id,)
    )


_KEYS: Final[dict[type[Any], Callable[[Any], tuple[str, ...]]]] = dict(
    (
        _key(FleetStarted, lambda fact: (fact.execution,)),
        _key(FleetStopped, lambda fact: (fact.execution,)),
        _key(Commanded, lambda fact: (fact.key,)),
        _key(Refused, lambda fact: (fact.intent_id,)),
        _key(Intended, lambda fact: (fact.intent_id,)),
        _key(Attempted, lambda fact: (fact.client_order_id,)),
        _key(Acknowledged, lambda fact: (fact.client_order_id,)),
        _key(
            # With the side: two of our own orders may trade with each other.
            Filled,
            lambda fact: (
                fact.exchange,
                fact.account,
                fact.symbol,
                fact.trade_id,
                fact.side.value,
            ),
        ),
        _key(CancelRequested, lambda fact: (fact.client_order_id, str(fact.number))),
        _key(CancelRejected, lambda fact: (fact.client_order_id, str(fact.number))),
        _key(Ended, _of_end),
        _key(Corrected, _of_correction),
        _key(LegsIntended, lambda fact: (fact.group_id,)),
        _key(LegsSettled, lambda fact: (fact.group_id,)),
        _key(PositionOpened, lambda fact: (fact.position_id,)),
        _key(ExitTriggered, lambda fact: (fact.position_id, fact.reason.value)),
        _key(PositionClosed, lambda fact: (fact.position_id,)),
    )
)

_KINDS: Final[dict[type[Any], str]] = {
    each: re.sub(r"(?<!^)(?=[A-Z])", "_", each.__name__).lower() for each in FACT_TYPES
}
_ENCODER: Final = msgspec.json.Encoder()
_RAW: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RAW_OR_NONE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)
_DECODERS: Final[dict[str, tuple[msgspec.json.Decoder[Any], dict[str, object]]]] = {
    kind: (msgspec.json.Decoder(each), _fields(each)) for each, kind in _KINDS.items()
}
KINDS: Final = frozenset(_DECODERS)
