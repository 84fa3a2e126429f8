"""The public events of a run, folded from its facts. Pure.

One stream of `{type, bot, execution_id, timestamp, data}`. Facts that have a public name
are told in its words; every other fact is told under its kind, with its own fields.
Decimals are text, so that no digit is lost on the way into somebody's float.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, cast

import attrs
import msgspec

from actors.messages import (
    Acknowledged,
    Attempted,
    Ended,
    ExchangeConnected,
    ExchangeDisconnected,
    ExitReason,
    ExitTriggered,
    Fact,
    Filled,
    FleetStarted,
    Intended,
    OrderStatus,
    OutcomeUnknown,
    PriceUpdated,
)
from actors.pure.facts import kind_of

ORDERS_MAX: Final = (
    10_000  # remembered for joining; an older one is told without its intent
)
ENDINGS: Final = {
    OrderStatus.FILLED: "order_completed",
    OrderStatus.CANCELED: "order_canceled",
    OrderStatus.EXPIRED: "order_expired",
    OrderStatus.REJECTED: "order_rejected",
    OrderStatus.NOT_PLACED: "order_not_placed",
}

NAMES: Final[dict[type[Fact], str]] = {PriceUpdated: "price_update"}
EXITS: Final = {
    ExitReason.STOP_LOSS: "stop_loss_hit",
    ExitReason.TRAILING_STOP: "stop_loss_hit",
    ExitReason.TAKE_PROFIT: "take_profit_hit",
    ExitReason.SIGNAL: "exit_signalled",
    ExitReason.OPERATOR: "exit_ordered",
    ExitReason.LEG: "exit_signalled",
}

Data = Mapping[str, Any]
OrderFact = Acknowledged | Filled | OutcomeUnknown | Ended


@attrs.frozen
class PublicEvent:
    """One event as people and programs outside are told it."""

    type: str
    bot: str  # "" when it is about no single bot
    execution_id: str  # one per run
    timestamp: int  # Unix ms, when it was recorded
    data: Data


def event_json(event: PublicEvent) -> str:
    """Return the event as one line of JSON; no Decimal is written with an exponent."""
    tree = msgspec.to_builtins(event, builtin_types=(Decimal,), str_keys=True)
    return msgspec.json.encode(_written_out(tree)).decode()


def _written_out(tree: Any) -> Any:
    match tree:
        case Decimal():
            return f"{tree:f}"
        case dict():
            items = cast("Mapping[str, Any]", tree).items()
            return {name: _written_out(value) for name, value in items}
        case list() | tuple():
            return [_written_out(value) for value in cast("Sequence[Any]", tree)]
        case _:
            return tree


class Story:
    """Folds facts into events, in the order of the ledger. Begin at its first row."""

    def __init__(self) -> None:
        self.execution_id = ""
        self._intents: OrderedDict[str, Intended] = OrderedDict()  # by intent id
        self._orders: OrderedDict[str, Intended] = OrderedDict()  # by client order id

    def tell(self, at_ms: int, fact: Fact) -> PublicEvent:
        """Return the event of the next fact."""
        match fact:
            case FleetStarted():
                self.execution_id = fact.execution
            case Intended():
                _keep(self._intents, fact.intent_id, fact)
            case Attempted():
                if intent := self._intents.get(fact.intent_id):
                    _keep(self._orders, fact.client_order_id, intent)
            case _:
                pass
        name, data = self._named(fact)
        bot: str = getattr(fact, "bot", "")
        return PublicEvent(name, bot, self.execution_id, at_ms, data)

    def _named(self, fact: Fact) -> tuple[str, Data]:
        """Return the public name of a fact, and its data."""
        match fact:
            case Acknowledged() | Filled() | OutcomeUnknown() | Ended():
                return _order_name(fact), {**self._order(fact), **_fields(fact)}
            case ExitTriggered():
                return EXITS[fact.reason], _fields(fact)
            case ExchangeConnected() | ExchangeDisconnected():
                return kind_of(type(fact)), {"attempt": 0, **_fields(fact)}
            case _:
                name = NAMES.get(type(fact), kind_of(type(fact)))
                return name, _fields(fact)

    def _order(self, fact: OrderFact) -> Data:
        """Return order id, signal and size in quote, from what was intended."""
        data: dict[str, Any] = {"order_id": fact.client_order_id}
        if intent := self._orders.get(fact.client_order_id):
            data |= {
                "signal": intent.side.value.upper(),
                "size": intent.base * (intent.limit_price or intent.price),
                "order_type": intent.order_type,
                "purpose": intent.purpose,
                "strategy": intent.strategy,
                "notes": intent.notes,
            }
        return data


def _order_name(fact: OrderFact) -> str:
    match fact:
        case Acknowledged():
            return "order_created"
        case Filled():
            return "order_filled"
        case OutcomeUnknown():
            return "order_unknown"
        case Ended():
            return ENDINGS.get(fact.status, "order_ended")


def _keep(orders: OrderedDict[str, Intended], name: str, intent: Intended) -> None:
    orders[name] = intent
    if len(orders) > ORDERS_MAX:
        orders.popitem(last=False)


def _fields(fact: Fact) -> Data:
    """Return a fact's own fields; `bot` stands in the event itself."""
    return {
        field.name: getattr(fact, field.name)
        for field in attrs.fields(type(fact))
        if field.name != "bot"
    }
