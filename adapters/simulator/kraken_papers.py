"""Kraken's own record of each order: its public id, the client's ids, and how it ended."""

from __future__ import annotations

import base64
import hashlib
from decimal import Decimal
from typing import Final

import attrs

from actors.messages import OrderStatus
from actors.pure.matching_orders import ZERO, Fill, Order, Trade

UNFILLED: Final = "Order could not be filled at once"  # of IOC, FOK and market orders
REQUESTED: Final = "User requested"
EXPIRED: Final = "Order expired"
DEAD_MAN: Final = "Cancel all orders after"


@attrs.define(eq=False)
class Paper:
    """One order as the venue shows it."""

    order: Order
    txid: str
    cl_ord_id: str | None = None
    userref: int = 0
    expires_ms: int = 0  # 0: never by the clock
    flags: str = "fciq"
    amendments: int = 0
    reason: str | None = None  # why it ended before it was filled

    @property
    def status(self) -> str:
        """Return REST's word for its state."""
        match self.order.status:
            case OrderStatus.FILLED:
                return "closed"
            case OrderStatus.CANCELED | OrderStatus.EXPIRED:
                return "expired" if self.reason == EXPIRED else "canceled"
            case _:
                return "open"

    @property
    def fee(self) -> Decimal:
        return sum((fill.fee for fill in self.order.fills), ZERO)

    @property
    def average(self) -> Decimal:
        order = self.order
        return order.filled_quote / order.filled_base if order.filled_base else ZERO


class Papers:
    """Every order of the accounts, by each of its ids."""

    def __init__(self) -> None:
        self.by_txid: dict[str, Paper] = {}
        self._by_order: dict[int, Paper] = {}

    def file(self, paper: Paper) -> None:
        self.by_txid[paper.txid] = paper
        self._by_order[paper.order.order_id] = paper

    def of(self, order: Order) -> Paper:
        """Return an order's record; one that came by no door of the venue is new."""
        found = self._by_order.get(order.order_id)
        if found is None:
            found = Paper(order, txid_of(order), order.client_order_id or None)
            self.file(found)
        return found

    def of_account(self, account: str) -> list[Paper]:
        """Return an account's orders, oldest first."""
        return [it for it in self.by_txid.values() if it.order.account == account]

    def of_client(self, account: str, cl_ord_id: str) -> list[Paper]:
        """Return what the account ever placed under one id of its own, oldest first."""
        return [it for it in self.of_account(account) if it.cl_ord_id == cl_ord_id]


def txid_of(order: Order) -> str:
    return _public_id("O", f"order {order.account} {order.order_id}")


def amend_id_of(paper: Paper) -> str:
    """Return the id of the order's last amendment."""
    return _public_id("T", f"amendment {paper.txid} {paper.amendments}")


def exec_id_of(fill: Fill) -> str:
    trade: Trade = fill.trade
    return _public_id("T", f"fill {trade.symbol} {trade.trade_id} {fill.order_id}")


def ledger_id_of(fill: Fill, asset: str) -> str:
    return _public_id("L", f"ledger {exec_id_of(fill)} {asset}")


def _public_id(letter: str, seed: str) -> str:
    """Return an id of Kraken's shape: one letter and sixteen more in three groups."""
    digest = hashlib.sha256(seed.encode()).digest()
    letters = base64.b32encode(digest).decode()
    return f"{letter}{letters[:5]}-{letters[5:10]}-{letters[10:16]}"
