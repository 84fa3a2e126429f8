"""Read the requests of Kraken's private WebSocket: JSON numbers, no unknown fields.

Source: "Add Order", "Cancel Order" of "Spot WebSocket v2", 2026-07-23; refusals of 2024
and 2025.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from actors.pure.matching_orders import CONDITIONAL, ZERO, Kind
from adapters.simulator.exchange import Ware
from adapters.simulator.kraken_conversation import Asked
from adapters.simulator.kraken_faults import Refused, invalid
from adapters.simulator.kraken_names import Names
from adapters.simulator.kraken_rules import (
    KINDS,
    SIDES,
    Wanted,
    check_deadline,
    lasting_of,
    posted,
)

ADD_ORDER: Final = (
    "order_type", "side", "order_qty", "symbol", "limit_price", "limit_price_type",
    "triggers", "time_in_force", "post_only", "cl_ord_id", "order_userref",
    "cash_order_qty", "fee_preference", "deadline", "validate", "expire_time",
    "effective_time", "stp_type", "margin", "reduce_only", "no_mpp",
)  # fmt: skip
SUBSCRIBE: Final = (
    "channel", "snapshot", "snap_orders", "snap_trades", "order_status", "ratecounter",
    "rebased", "users",
)  # fmt: skip
NAMES: Final = ("order_id", "cl_ord_id", "order_userref", "orders")
FLAGS: Final = {"base": "fcib", "quote": "fciq"}


def known(asked: Asked, *fields: str) -> None:
    """Refuse fields that the request does not have."""
    for field in asked.params:
        if field != "token" and field not in fields:
            kind = asked.method.replace("_", " ")
            raise Refused(f"Unsupported field: '{field}' for the given msg type: {kind}")


def wanted_of(asked: Asked, names: Names, now_ms: int) -> Wanted:
    """Return the order that the request asks for.

    Raises:
      Refused: it makes no sense.
    """
    known(asked, *ADD_ORDER)
    ware = _ware(asked, names)
    kind, side = KINDS.get(_text(asked, "order_type")), SIDES.get(_text(asked, "side"))
    if kind is None:
        raise invalid("order_type")
    if side is None:
        raise invalid("side")
    deadline: Any = asked.params.get("deadline")
    check_deadline(None if deadline is None else str(deadline), now_ms)
    preference = str(asked.params.get("fee_preference", "quote"))
    is_post = asked.params.get("post_only") is True
    if asked.params.get("margin") is True or asked.params.get("reduce_only") is True:
        raise invalid("margin")
    word = str(asked.params.get("time_in_force", "gtc"))
    cl_ord_id: Any = asked.params.get("cl_ord_id")
    return Wanted(
        ware=ware,
        side=side,
        kind=posted(kind, is_post=is_post),
        base=number(asked, "order_qty"),
        quote=number(asked, "cash_order_qty"),
        price=number(asked, "limit_price") if kind is not Kind.MARKET else ZERO,
        stop_price=_trigger(asked) if kind in CONDITIONAL else ZERO,
        lasting=lasting_of(word, kind),
        expires_ms=_expiry_ms(asked, word, now_ms),
        cl_ord_id=None if cl_ord_id is None else str(cl_ord_id),
        userref=whole(asked, "order_userref", 0),
        flags=FLAGS.get(preference, "fciq") + (",post" if is_post else ""),
        is_only_tested=asked.params.get("validate") is True,
    )


def names_of(asked: Asked) -> tuple[str, list[str]]:
    """Return which kind of name the request uses, and the names."""
    known(asked, *NAMES)
    for field in NAMES:
        found: Any = asked.params.get(field)
        if isinstance(found, list) and found:
            return field, [str(name) for name in found]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] -- JSON
    raise invalid("order_id")


def number(asked: Asked, field: str) -> Decimal:
    """Return a number, 0 when it is not there; a text is refused as the venue does."""
    found: Any = asked.params.get(field)
    if found is None:
        return ZERO
    if isinstance(found, bool) or not isinstance(found, int | Decimal):
        raise Refused(f"{field.capitalize()} field must be a number_float")
    if found <= 0:
        raise invalid(field)
    return Decimal(found)


def whole(asked: Asked, field: str, default: int) -> int:
    found: Any = asked.params.get(field, default)
    if isinstance(found, bool) or not isinstance(found, int):
        raise Refused(f"{field.capitalize()} field must be an integer")
    return found


def _text(asked: Asked, field: str) -> str:
    found: Any = asked.params.get(field)
    if not isinstance(found, str):
        raise invalid(field)
    return found


def _ware(asked: Asked, names: Names) -> Ware:
    symbol = _text(asked, "symbol")
    ware = names.by_symbol(symbol)
    if ware is None:
        raise Refused(f"Currency pair not supported {symbol}")
    return ware


def _trigger(asked: Asked) -> Decimal:
    triggers: Any = asked.params.get("triggers")
    if not isinstance(triggers, dict):
        raise invalid("triggers")
    inner = Asked(asked.method, triggers, None, "")  # pyright: ignore[reportUnknownArgumentType] -- keys are texts
    if inner.params.get("price_type", "static") != "static":
        raise invalid("triggers")
    return number(inner, "price")


def _expiry_ms(asked: Asked, word: str, now_ms: int) -> int:
    if word.lower() != "gtd":
        return 0
    from_text: Any = asked.params.get("expire_time")
    expires_ms = _moment_ms(str(from_text))
    if expires_ms <= now_ms:
        raise invalid("expire_time")
    return expires_ms


def _moment_ms(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        raise invalid("expire_time") from None
