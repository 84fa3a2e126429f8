"""Kraken's private WebSocket: executions, balances, and orders by token.

Source: the pages of "Spot WebSocket v2", "User Data" and "User Trading", 2026-07-23.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import trio

from adapters.simulator import kraken_amend as amending
from adapters.simulator import kraken_asked as reading
from adapters.simulator.kraken_conversation import Asked, Conversation
from adapters.simulator.kraken_dialect import KrakenDialect
from adapters.simulator.kraken_faults import (
    BAD_SESSION,
    NO_TOKEN,
    UNAVAILABLE,
    UNKNOWN_ORDER,
    Refused,
)
from adapters.simulator.kraken_frames import Body
from adapters.simulator.kraken_papers import Paper
from adapters.simulator.kraken_public import moment
from adapters.simulator.kraken_teller import Subscription
from adapters.simulator.outbox import Outbox
from adapters.websocket_server import ServerSocket

CHANNELS: Final = ("executions", "balances")
PUBLIC: Final = "Public market data subscriptions are unavailable on this endpoint"
WARNINGS: Final = (
    "cancel_reason is deprecated, use reason",
    "stop_price is deprecated, use triggers.price",
)


class PrivateSocket:
    """One client of one or more accounts."""

    def __init__(
        self, dialect: KrakenDialect, outbox: Outbox, address: str, nursery: trio.Nursery
    ) -> None:
        self._dialect = dialect
        self._address = address
        self._talk = Conversation(dialect.exchange, dialect.desk.limits, outbox, nursery)
        self._subscriptions: dict[str, Subscription] = {}  # by channel
        self._tokens: dict[str, str] = {}  # kept alive by a subscription -> account
        self._methods: dict[str, Callable[[Asked, str], None]] = {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "add_order": self._add_order,
            "amend_order": self._amend_order,
            "cancel_order": self._cancel_order,
            "batch_cancel": self._batch_cancel,
            "cancel_all": self._cancel_all,
            "cancel_all_orders_after": self._cancel_after,
        }

    async def serve(self, socket: ServerSocket) -> None:
        try:
            await self._talk.serve(socket, self._obey, lambda: bool(self._subscriptions))
        finally:
            for subscription in self._subscriptions.values():
                self._dialect.teller.leave(subscription)

    def shutdown_notice(self, now_ms: int) -> bytes:
        return self._talk.shutdown_notice(now_ms)

    def _obey(self, asked: Asked) -> None:
        method = self._methods.get(asked.method)
        if method is None:
            self._talk.refuse(asked, "Unsupported event")
            return
        try:
            self._dialect.refuse_by_fault("ws_api", self._address)
            method(asked, self._account(asked))
        except Refused as refused:
            self._talk.refuse(asked, str(refused))
        finally:
            self._dialect.flush()

    def _account(self, asked: Asked) -> str:
        token: Any = asked.params.get("token")
        if not isinstance(token, str) or not token:
            raise Refused(NO_TOKEN)
        account = self._tokens.get(token) or self._dialect.keys.account_of_token(token)
        if account is None:
            raise Refused(BAD_SESSION)
        return account

    def _subscribe(self, asked: Asked, account: str) -> None:
        channel: Any = asked.params.get("channel")
        if channel not in CHANNELS:
            raise Refused(PUBLIC)
        if channel in self._subscriptions:
            raise Refused("Already subscribed")
        reading.known(asked, *reading.SUBSCRIBE)
        subscription = Subscription(
            self._talk.outbox,
            account,
            channel,
            has_every_status=asked.params.get("order_status", True) is not False,
            has_counter=asked.params.get("ratecounter") is True,
        )
        result: Body = {"channel": channel, "snapshot": True}
        if channel == "executions":
            most = int(self._dialect.desk.limits.orders_max)
            result |= {"maxratecount": most, "warnings": list(WARNINGS)}
        self._dialect.flush()  # what happened before belongs to the snapshot
        self._talk.answer(self._talk.acknowledge(asked, result))
        with_trades = channel == "executions" and asked.params.get("snap_trades") is True
        if asked.params.get("snapshot", True) is not False:
            self._dialect.teller.show(
                subscription,
                with_orders=asked.params.get("snap_orders", True) is not False,
                with_trades=with_trades,
            )
        self._dialect.teller.join(subscription)
        self._subscriptions[channel] = subscription
        self._tokens[str(asked.params["token"])] = account

    def _unsubscribe(self, asked: Asked, account: str) -> None:
        del account
        subscription = self._subscriptions.pop(str(asked.params.get("channel")), None)
        if subscription is None:
            raise Refused("Subscription Not Found")
        self._dialect.teller.leave(subscription)
        if not self._subscriptions:
            self._tokens.clear()
        self._talk.answer(self._talk.acknowledge(asked, {"channel": subscription.channel}))

    def _add_order(self, asked: Asked, account: str) -> None:
        desk = self._dialect.desk
        wanted = reading.wanted_of(asked, desk.names, self._dialect.exchange.told_ms())
        paper = desk.add(account, wanted)
        result: Body = {"order_id": paper.txid} if paper is not None else {}
        if wanted.cl_ord_id is not None:
            result["cl_ord_id"] = wanted.cl_ord_id
        if wanted.userref:
            result["order_userref"] = wanted.userref
        self._dialect.flush()
        self._answer_order(asked, self._talk.acknowledge(asked, result))

    def _amend_order(self, asked: Asked, account: str) -> None:
        amendment = amending.asked_amendment(self._dialect.desk, account, asked)
        amend_id = amending.amend(self._dialect.desk, amendment)
        self._dialect.flush()
        paper = amendment.paper
        result: Body = {"amend_id": amend_id, "order_id": paper.txid}
        if paper.cl_ord_id is not None:
            result["cl_ord_id"] = paper.cl_ord_id
        self._answer_order(asked, self._talk.acknowledge(asked, result))

    def _cancel_order(self, asked: Asked, account: str) -> None:
        """End each order that is named, and answer for each."""
        for name, papers in self._named(asked, account):
            found = [it for it in papers if it.order.is_open]
            try:
                if not found:
                    raise Refused(UNKNOWN_ORDER)
                for paper in found:
                    self._dialect.desk.cancel(paper)
            except Refused as refused:
                self._talk.refuse(asked, str(refused))
                continue
            self._dialect.flush()
            result: Body = {"order_id": found[0].txid}
            if found[0].cl_ord_id == name:
                result["cl_ord_id"] = name
            self._answer_order(asked, self._talk.acknowledge(asked, result))

    def _batch_cancel(self, asked: Asked, account: str) -> None:
        count = 0
        for _, papers in self._named(asked, account):
            for paper in papers:
                if paper.order.is_open:
                    self._dialect.desk.cancel(paper)
                    count += 1
        self._answer_order(
            asked, self._talk.acknowledge(asked, None, orders_cancelled=count)
        )

    def _cancel_all(self, asked: Asked, account: str) -> None:
        reading.known(asked)
        result: Body = {"count": self._dialect.desk.cancel_all(account)}
        self._dialect.flush()
        self._answer_order(asked, self._talk.acknowledge(asked, result))

    def _cancel_after(self, asked: Asked, account: str) -> None:
        reading.known(asked, "timeout")
        timeout_s = reading.whole(asked, "timeout", -1)
        at_ms = self._dialect.desk.cancel_after(account, timeout_s)
        result: Body = {
            "currentTime": moment(self._dialect.exchange.told_ms()),
            "triggerTime": moment(at_ms) if at_ms else "0",
        }
        self._talk.answer(self._talk.acknowledge(asked, result))

    def _named(self, asked: Asked, account: str) -> list[tuple[str, list[Paper]]]:
        """Return the orders that each name of the request stands for."""
        desk = self._dialect.desk
        field, names = reading.names_of(asked)
        if field == "cl_ord_id":
            return [(name, desk.papers.of_client(account, name)) for name in names]
        return [(name, desk.named(account, name)) for name in names]

    def _answer_order(self, asked: Asked, wire: bytes) -> None:
        """Send the acknowledgement of what was done, unless a fault takes it."""
        faults = self._dialect.exchange.faults
        if faults.strike("lost_ack", "ws_api"):
            return
        if faults.strike("server_error", "ws_api"):
            self._talk.refuse(asked, UNAVAILABLE)
            return
        late = faults.strike("late_ack", "ws_api")
        if late is None:
            self._talk.answer(wire)
        else:
            self._talk.answer_later(wire, late.delay_s)
