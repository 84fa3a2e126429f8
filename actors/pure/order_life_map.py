"""Draw the life of an order as the code lives it: docs/order-life.md. Pure.

Nothing here knows a transition: every fact is tried on an order of every status, and what
`order_life.step` makes of it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

import attrs

from actors.messages import (
    Acknowledged,
    Attempted,
    CancelRejected,
    CancelRequested,
    Ended,
    Filled,
    Intended,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
    Purpose,
    Side,
)
from actors.pure.order_life import TERMINAL, ZERO, LifeFact, Order, begin, step

_OWNER: Final = ("bot", "main", "BTC/USDT", "order")
_ONE, _WHOLE = Decimal(1), Decimal(3)
_MEANINGS: Final[Mapping[OrderStatus, str]] = {
    OrderStatus.NEW: "intent and attempt are durable; the request may leave, or has left",
    OrderStatus.UNKNOWN: "nobody can say whether the exchange has it; blocks new risk",
    OrderStatus.OPEN: "the exchange has it",
    OrderStatus.PARTIALLY_FILLED: "part of it was executed",
    OrderStatus.PENDING_CANCEL: "a cancel was asked for; it may still be executed",
    OrderStatus.FILLED: "all of it was executed",
    OrderStatus.CANCELED: "the exchange took it out; part may have been executed",
    OrderStatus.EXPIRED: "the exchange ended it by its own rules; the same",
    OrderStatus.REJECTED: "the exchange said no, by a code that is a definite no",
    OrderStatus.NOT_PLACED: "proven: it never reached the exchange's book",
}


def markdown() -> str:
    """Return docs/order-life.md."""
    moves = dict(transitions())
    lines = [
        "# The life of an order",
        "",
        "Printed by `shoal map --orders`; `just map` writes it again, a check compares.",
        "Each arrow was found by telling the fact to an order of that status, so this is",
        "what the code does. A fact without an arrow changes no status, whoever tells it,",
        "however often and however late; a fill still counts once, because money has moved",
        "(I-5, I-6). No row says `sent`: none could be written in the same instant as the",
        "first byte leaves, so `new` means that it may have.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {OrderStatus.NEW.value}: Intended + Attempted, one commit",
        *(
            f"    {old.value} --> {new.value}: {', '.join(facts)}"
            for (old, new), facts in moves.items()
        ),
        *(f"    {status.value} --> [*]" for status in OrderStatus if status in TERMINAL),
        "```",
        "",
        "| status | means | ends |",
        "|---|---|---|",
        *(
            f"| {status.value} | {meaning} | {'yes' if status in TERMINAL else 'no'} |"
            for status, meaning in _MEANINGS.items()
        ),
        "",
        "| from | to | by |",
        "|---|---|---|",
        *(
            f"| {old.value} | {new.value} | {', '.join(facts)} |"
            for (old, new), facts in moves.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def transitions() -> Iterator[tuple[tuple[OrderStatus, OrderStatus], tuple[str, ...]]]:
    """Return every step from one status to another, and the facts that make it."""
    found: dict[tuple[OrderStatus, OrderStatus], list[str]] = {}
    for order in (each for status in OrderStatus for each in _orders(status)):
        for name, fact in _facts():
            move = order.status, step(order, fact).status
            if move[0] is not move[1] and name not in found.setdefault(move, []):
                found[move].append(name)
    for move, names in found.items():
        yield move, tuple(names)


def _facts() -> Iterator[tuple[str, LifeFact]]:
    yield "OutcomeUnknown", OutcomeUnknown(*_OWNER, "no answer")
    yield "Acknowledged", Acknowledged(*_OWNER, "venue-order")
    yield "Filled in part", _fill(_ONE)
    yield "Filled whole", _fill(_WHOLE)
    yield "CancelRequested", CancelRequested(*_OWNER, 1)
    yield "CancelRejected", CancelRejected(*_OWNER, 1)
    for status in OrderStatus:
        if status in TERMINAL:
            yield "Ended", Ended(*_OWNER, status, ZERO)


def _fill(base: Decimal) -> Filled:
    bot, account, symbol, order_id = _OWNER
    return Filled(
        bot, account, "exchange", symbol, order_id, "trade", Side.BUY, _ONE, base, ZERO,
        "USDT", False, 0,
    )  # fmt: skip


def _orders(status: OrderStatus) -> Iterator[Order]:
    """Return orders of a status: one untouched, one executed in part where it may be."""
    order = _order(status)
    if status is not OrderStatus.PENDING_CANCEL:
        yield order
        return
    for filled_base in (ZERO, _ONE):
        yield attrs.evolve(order, cancels_asked=1, filled_base=filled_base)


def _order(status: OrderStatus) -> Order:
    bot, account, symbol, order_id = _OWNER
    intended = Intended(
        bot, account, "exchange", symbol, "intent", Purpose.ENTRY, Side.BUY,
        OrderType.MARKET, _WHOLE, _ONE, None, None, "", "",
    )  # fmt: skip
    attempted = Attempted(bot, account, symbol, "intent", 1, order_id, 0)
    return attrs.evolve(begin(intended, attempted), status=status)
