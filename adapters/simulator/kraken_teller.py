"""Tells each account's private subscribers what happened, numbered without a gap."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from actors.messages import Side
from actors.pure.matching_orders import ZERO, Fill
from adapters.simulator import kraken_executions as executions
from adapters.simulator.exchange import News
from adapters.simulator.kraken_desk import Desk
from adapters.simulator.kraken_frames import Body, encode
from adapters.simulator.outbox import Outbox
from adapters.websocket_server import frame

SNAPSHOT_FILLS: Final = 50


@attrs.define(eq=False)
class Subscription:
    """One private channel on one connection."""

    outbox: Outbox
    account: str
    channel: str  # "executions" or "balances"
    has_every_status: bool = True
    has_counter: bool = False
    sequence: int = 0


@attrs.frozen
class Change:
    """What one fill does to one balance."""

    fill: Fill
    asset: str
    amount: Decimal
    fee: Decimal


class Teller:
    """The private events of every account."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._subscriptions: dict[Subscription, None] = {}

    def join(self, subscription: Subscription) -> None:
        self._subscriptions[subscription] = None

    def leave(self, subscription: Subscription) -> None:
        self._subscriptions.pop(subscription, None)

    def show(
        self, subscription: Subscription, *, with_orders: bool, with_trades: bool
    ) -> None:
        """Send what a new subscription is shown first; it may hold nothing."""
        exchange, account = self._desk.exchange, subscription.account
        rows: list[Body] = []
        if subscription.channel == "balances":
            holdings = exchange.engine.wallets.holdings.get(account, {})
            rows = executions.balance_rows(holdings)
        elif with_orders:
            rows = [
                executions.snapshot_row(it, exchange.wares[it.order.symbol])
                for it in self._desk.open_papers(account)
            ]
        if with_trades:
            rows += self._earlier_fills(account)
        self._send(subscription, rows, "snapshot", "")

    def tell(self, news: News) -> None:
        """Send what happened since the last news."""
        exchange = self._desk.exchange
        if not self._subscriptions:
            return
        for report in news.happened.reports:
            ware = exchange.wares[report.order.symbol]
            paper = self._desk.papers.of(report.order)
            for row in executions.rows_of(report, paper, ware):
                for it in self._of(report.order.account, "executions"):
                    is_transition = row["exec_type"] in executions.TRANSITIONS
                    if it.has_every_status or is_transition:
                        row_told = self._counted(it, row, report.order.symbol)
                        self._send(it, [row_told], "update", ware.listing.symbol)
        for account in news.happened.touched:
            self._tell_balances(account, news)

    def _tell_balances(self, account: str, news: News) -> None:
        """Send two rows for each fill; the last balances are the wallet's of now."""
        subscriptions = self._of(account, "balances")
        changes = [
            change
            for report in news.happened.reports
            if report.fill is not None and report.order.account == account
            for change in self._changes(report.fill)
        ]
        if not subscriptions or not changes:
            return
        holdings = self._desk.exchange.engine.wallets.holdings[account]
        after = {asset: held.free + held.locked for asset, held in holdings.items()}
        rows: list[tuple[Body, Change]] = []
        for it in reversed(changes):
            row = executions.ledger_row(
                it.fill, it.asset, it.amount, it.fee, after[it.asset]
            )
            rows.append((row, it))
            after[it.asset] -= it.amount - it.fee
        for row, it in reversed(rows):
            symbol = self._desk.exchange.wares[it.fill.trade.symbol].listing.symbol
            for subscription in subscriptions:
                self._send(subscription, [row], "update", symbol)

    def _changes(self, fill: Fill) -> tuple[Change, Change]:
        trade, pair = fill.trade, self._desk.exchange.engine.pairs[fill.trade.symbol]
        sign = 1 if fill.side is Side.BUY else -1
        amounts = {
            pair.base_asset: sign * trade.base,
            pair.quote_asset: -sign * trade.base * trade.price,
        }
        first, second = (
            Change(fill, asset, amount, fill.fee if asset == fill.fee_asset else ZERO)
            for asset, amount in amounts.items()
        )
        return first, second

    def _earlier_fills(self, account: str) -> list[Body]:
        papers = self._desk.papers.of_account(account)
        found = [(paper, fill) for paper in papers for fill in paper.order.fills]
        found.sort(key=lambda it: (it[1].trade.trade_ms, it[1].trade.trade_id))
        wares = self._desk.exchange.wares
        return [
            executions.snapshot_fill(paper, fill, wares[fill.trade.symbol])
            for paper, fill in found[-SNAPSHOT_FILLS:]
        ]

    def _of(self, account: str, channel: str) -> list[Subscription]:
        return [
            it
            for it in self._subscriptions
            if (it.account, it.channel) == (account, channel)
        ]

    def _counted(self, subscription: Subscription, row: Body, symbol: str) -> Body:
        if not subscription.has_counter:
            return row
        count = self._desk.order_counter(subscription.account, symbol)
        return row | {"ratecount": round(count)}

    def _send(
        self, subscription: Subscription, rows: list[Body], kind: str, symbol: str
    ) -> None:
        subscription.sequence += 1
        body: Body = {
            "channel": subscription.channel,
            "type": kind,
            "data": rows,
            "sequence": subscription.sequence,
        }
        subscription.outbox.post(frame(encode(body)), symbol)
