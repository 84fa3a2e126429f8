"""Kraken's order desk: takes, cancels and ends orders for both of its doors."""

from __future__ import annotations

from typing import Final

from actors.pure.matching_orders import Order, Rejection
from adapters.simulator.exchange import Exchange
from adapters.simulator.kraken_faults import (
    REJECTIONS,
    TOO_FAST_ORDERS,
    TOO_MANY_OPEN,
    UNKNOWN_ORDER,
    Refused,
    invalid,
)
from adapters.simulator.kraken_limits import (
    Counters,
    KrakenLimits,
    amend_cost,
    cancel_cost,
)
from adapters.simulator.kraken_names import Names
from adapters.simulator.kraken_papers import (
    DEAD_MAN,
    EXPIRED,
    REQUESTED,
    Paper,
    Papers,
    txid_of,
)
from adapters.simulator.kraken_rules import Wanted, check

DEAD_MAN_MAX_S: Final = 86_400


class Desk:
    """The orders of every account."""

    def __init__(self, exchange: Exchange, limits: KrakenLimits) -> None:
        self.exchange = exchange
        self.limits = limits
        self.names = Names(exchange.wares.values())
        self.papers = Papers()
        self.counters = Counters(exchange.limits.refuse)
        self.dead_men_ms: dict[str, int] = {}  # account -> when its orders end
        self._unnamed = 0

    def add(self, account: str, wanted: Wanted) -> Paper | None:
        """Take an order; None when it was only to be tested.

        Raises:
          Refused: it breaks a rule, or the account cannot pay.
        """
        exchange = self.exchange
        if wanted.cl_ord_id is not None and not wanted.is_only_tested:
            key = (account, wanted.cl_ord_id)
            exchange.asked[key] = exchange.asked.get(key, 0) + 1
        check(wanted)
        symbol = wanted.ware.listing.venue_symbol
        if wanted.is_only_tested:
            self._test(account, wanted)
            return None
        if len(exchange.engine.open_orders(account, symbol)) >= self.limits.open_max:
            raise Refused(TOO_MANY_OPEN)
        self._charge(account, symbol, 1)
        client_order_id = wanted.cl_ord_id or self._unnamed_id()
        result = exchange.place(wanted.new_order(account, client_order_id))
        if isinstance(result, Rejection):
            raise Refused(REJECTIONS[result])
        paper = Paper(
            result,
            txid_of(result),
            wanted.cl_ord_id,
            wanted.userref,
            wanted.expires_ms,
            wanted.flags,
        )
        self.papers.file(paper)
        return paper

    def cancel(self, paper: Paper, reason: str = REQUESTED) -> None:
        """End an order at its owner's wish. Nothing says that a cancel is ever refused for
        the counter, nor that it is held at its limit.

        Raises:
          Refused: it has ended already.
        """
        order = paper.order
        if not order.is_open:
            raise Refused(UNKNOWN_ORDER)
        age_ms = self.exchange.now_ms() - order.created_ms
        name = ("orders", order.account, order.symbol)
        now_ms, down_1s = self.exchange.now_ms(), self.limits.orders_1s
        self.counters.add_anyway(name, cancel_cost(age_ms), down_1s, now_ms)
        self._end(paper, reason)

    def cancel_all(self, account: str, reason: str = REQUESTED) -> int:
        """End every open order of an account; return how many."""
        papers = self.open_papers(account)
        for paper in papers:
            self._end(paper, reason)
        return len(papers)

    def cancel_after(self, account: str, timeout_s: int) -> int:
        """Set, renew or (0) call off the dead man's switch; return when it strikes."""
        if not 0 <= timeout_s <= DEAD_MAN_MAX_S:
            raise invalid("timeout")
        self.dead_men_ms.pop(account, None)
        if not timeout_s:
            return 0
        at_ms = self.exchange.now_ms() + timeout_s * 1000
        self.dead_men_ms[account] = at_ms
        return at_ms

    def open_papers(self, account: str) -> list[Paper]:
        """Return an account's open orders, oldest first."""
        return [self.papers.of(it) for it in self.exchange.engine.open_orders(account)]

    def named(self, account: str, name: str) -> list[Paper]:
        """Return the open orders that a txid or a userref names."""
        papers = self.open_papers(account)
        found = [it for it in papers if it.txid == name]
        is_reference = name.isdecimal() and int(name) != 0
        return found or [it for it in papers if is_reference and it.userref == int(name)]

    def beat(self, now_ms: int) -> None:
        """End what ends by the clock."""
        for account, at_ms in list(self.dead_men_ms.items()):
            if at_ms <= now_ms:
                del self.dead_men_ms[account]
                self.cancel_all(account, DEAD_MAN)
        for account in {key.name for key in self.exchange.keys.values()}:
            for paper in self.open_papers(account):
                if paper.expires_ms and paper.expires_ms <= now_ms:
                    self._end(paper, EXPIRED)

    def charge_amendment(self, order: Order) -> None:
        """Count an amendment, which is dear while the order is young."""
        cost = amend_cost(self.exchange.now_ms() - order.created_ms)
        self._charge(order.account, order.symbol, cost)

    def order_counter(self, account: str, symbol: str) -> float:
        name = ("orders", account, symbol)
        return self.counters.value(name, self.limits.orders_1s, self.exchange.now_ms())

    def _end(self, paper: Paper, reason: str) -> None:
        paper.reason = reason
        self.exchange.cancel(paper.order, "")

    def _charge(self, account: str, symbol: str, cost: float) -> None:
        limits, now_ms = self.limits, self.exchange.now_ms()
        name = ("orders", account, symbol)
        if not self.counters.add(name, cost, limits.orders_1s, limits.orders_max, now_ms):
            raise Refused(TOO_FAST_ORDERS)

    def _test(self, account: str, wanted: Wanted) -> None:
        new = wanted.new_order(account, wanted.cl_ord_id or self._unnamed_id())
        rejection = self.exchange.engine.judge(new)
        if rejection is not None:
            raise Refused(REJECTIONS[rejection])

    def _unnamed_id(self) -> str:
        """Return what the engine keys an order by whose client gave it no id."""
        self._unnamed += 1
        return f"~{self._unnamed}"
