"""Compare the ledger with the venue's truth, and both with what must always hold.

The numbers are those of REQUIREMENTS: I-1 … I-25.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from actors.messages import OrderStatus
from actors.pure.matching_orders import Order as VenueOrder
from adapters.simulator.config import SimulatorConfig
from adapters.simulator.exchange import Exchange
from tests.simulation.book_keeping import ZERO, BookKeeping, Told
from tests.simulation.disk import Disk
from tests.simulation.venues import fee_tolerance, is_same_end, told_trade_id

ACCOUNT = "main"
_ENDS = {
    OrderStatus.FILLED,
    OrderStatus.CANCELED,
    OrderStatus.EXPIRED,
}


def read_ledger(disk: Disk, sent: Mapping[str, float]) -> BookKeeping:
    """Return the ledger as other code than the engine's reads it."""
    books = BookKeeping(sent, frozenset(disk.blocks.attempts))
    books.read(disk.rows[: disk.visible])
    return books


def differences(
    books: BookKeeping, exchange: Exchange, account: str = ACCOUNT
) -> list[str]:
    """Return where ledger and venue differ now; at rest there is nothing (I-7, I-8)."""
    said: list[str] = []
    for order_id, order in books.orders.items():
        found = exchange.engine.by_client.get((account, order_id), [])
        there = found[-1] if found else None
        if there is None or not _is_forgotten(order, there, exchange.config):
            said += _difference(order_id, order, there, exchange.config)
    return said


def balance_differences(
    books: BookKeeping,
    exchange: Exchange,
    initial: dict[str, Decimal],
    account: str = ACCOUNT,
) -> list[str]:
    """Return assets whose balance is not what the ledger's fills make of it (I-7)."""
    expected = dict(initial)
    for order in books.orders.values():
        for fill in order.fills.values():
            base, quote = fill.symbol.split("/")
            sign = 1 if fill.side.value == "buy" else -1
            expected[base] = expected.get(base, ZERO) + sign * fill.base
            expected[quote] = expected.get(quote, ZERO) - sign * fill.base * fill.price
            expected[fill.fee_asset] -= fill.fee
    said: list[str] = []
    for asset, amount in expected.items():
        holding = exchange.engine.wallets.holding(account, asset)
        fills = sum(len(order.fills) for order in books.orders.values())
        far = abs(holding.free + holding.locked - amount)
        if far > fee_tolerance(exchange.config) * fills:
            there = holding.free + holding.locked
            said.append(f"I-7: {asset} is {amount} by the ledger, {there} at the venue")
    return said


def violations(
    books: BookKeeping, exchange: Exchange, tag: str, account: str = ACCOUNT
) -> list[str]:
    """Return what is wrong at any time, settled or not."""
    said = [*books.said, *_asked_again(exchange, account)]
    for (whose, order_id), found in exchange.engine.by_client.items():
        if whose != account:
            continue
        if len(found) > 1:
            said.append(f"I-1: {order_id} was placed {len(found)} times")
        told = books.orders.get(order_id)
        if told is None:
            if order_id.startswith(tag):
                said.append(f"I-3: {order_id} is at the venue, not in the ledger")
        elif not _is_forgotten(told, found[0], exchange.config):
            said += _contradictions(order_id, told, found[0], exchange.config)
    return said


def _asked_again(exchange: Exchange, account: str) -> list[str]:
    return [
        f"I-1: {order_id} reached the venue {count} times"
        for (whose, order_id), count in exchange.asked.items()
        if whose == account and count > 1
    ]


def _contradictions(
    order_id: str, told: Told, order: VenueOrder, config: SimulatorConfig
) -> list[str]:
    said: list[str] = []
    ended = told.ended
    if ended is not None and ended.status in {OrderStatus.NOT_PLACED, OrderStatus.REJECTED}:
        said.append(f"I-10: {order_id} is {ended.status.value} here, placed at the venue")
    elif ended is not None and order.is_open:
        said.append(f"I-6: {order_id} is {ended.status.value} here, open at the venue")
    if order.base != told.intent.base:
        said.append(f"I-4: {order_id} is for {told.intent.base} here, {order.base} there")
    if order.filled_base > told.intent.base:
        said.append(f"I-4: {order_id} filled {order.filled_base} of {told.intent.base}")
    there = {told_trade_id(config, fill): fill for fill in order.fills}
    for trade_id, fill in told.fills.items():
        real = there.get(trade_id)
        if real is None:
            said.append(f"I-5: {order_id} has no trade {trade_id} at the venue")
        elif (real.trade.base, real.trade.price) != (fill.base, fill.price) or abs(
            real.fee - fill.fee
        ) > fee_tolerance(config):
            said.append(f"I-5: trade {trade_id} is not what it was at the venue")
    return said


def _difference(
    order_id: str, told: Told, order: VenueOrder | None, config: SimulatorConfig
) -> list[str]:
    status = told.status
    if order is None:
        is_known = status in {OrderStatus.NOT_PLACED, OrderStatus.REJECTED}
        return [] if is_known else [f"I-8: {order_id} is {_word(told)} here, unknown there"]
    said: list[str] = []
    there = {told_trade_id(config, fill) for fill in order.fills}
    if there != told.fills.keys():
        missing = sorted(there - told.fills.keys())
        said.append(f"I-7: {order_id} ({_word(told)}) lacks trades {missing[:5]}")
    if not (told.is_acknowledged or told.was_unknown):
        word = _word(told)
        said.append(f"I-3: {order_id} is {word} here, and no row tells of its answer")
    if order.is_open:
        if not told.is_acknowledged:
            said.append(f"I-8: {order_id} is {_word(told)} here, open there")
    elif not is_same_end(config, status, order.status):
        said.append(f"I-8: {order_id} is {_word(told)} here, {order.status.value} there")
    elif told.ended is None:
        said.append(f"I-8: {order_id} is {_word(told)}, and no row tells of its end")
    return said


def _is_forgotten(told: Told, order: VenueOrder, config: SimulatorConfig) -> bool:
    """Tell whether the venue itself denied the order when it was called not placed.

    Coinbase's Exchange, whose keys have a passphrase, forgets what was cancelled unfilled.
    """
    return (
        bool(config.keys[0].passphrase)
        and told.status is OrderStatus.NOT_PLACED
        and order.status is OrderStatus.CANCELED
        and not order.filled_base
        and order.updated_ms <= told.ended_ms
    )


def _word(told: Told) -> str:
    if told.status is not None:
        return told.status.value
    return "open" if told.is_acknowledged else "unknown" if told.was_unknown else "new"
