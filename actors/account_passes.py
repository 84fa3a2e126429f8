"""When an account reconciles, and what its orders actor may do meanwhile: the lease.

[account] --asks--> [passes] --Lease (latest)--> orders
                    [passes] --Alarmed (latest)--> board

A pass is made when the private stream was connected, when something is unclear, every
60 s, and often while an order is unsettled or could not be asked for; never two at once,
and with a distance. The lease is given while the stream stands, the last pass succeeded,
and no second engine writes on the account (I-11, I-19, I-20).
"""

from __future__ import annotations

import math
from typing import Any

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import Alarmed, Lease, Reconciled
from actors.ports import VenueError
from actors.pure.commands import NotPossible
from actors.pure.order_life import Order
from actors.pure.unsettled import is_unsettled, long_unknown
from actors.reconciliation import Reconciliation
from actors.records import JournalDown

UNSETTLED_S = 1.0  # first look at an unsettled order; doubles up to the routine
SPACING_S = 1.0  # from one pass to the next, whoever asks
PASS_S = 60.0  # longest pass
RETRY_S_MAX = 30.0
LEASE_S = 15.0
RENEW_S = 5.0
FENCE_S = 300.0  # after the last order of another engine

AlarmKey = tuple[str, str]  # code, subject


@attrs.define(eq=False)
class _Wanted:
    """One who waits for the next pass."""

    found: Reconciled | None = None
    is_over: trio.Event = attrs.Factory(trio.Event)


@attrs.define(eq=False)
class Passes:
    """The reconciliations of one life of an account."""

    reconciliation: Reconciliation
    mailbox: Mailbox[Any]  # whose work a pass is
    orders: Mailbox[Any]
    board: Mailbox[Any] | None
    every_s: float
    told: dict[AlarmKey, str]  # the alarms that a person was told, in whatever life
    is_streaming: bool = False
    is_reconciled: bool = False  # since the stream was last connected
    failures: int = 0  # passes in a row
    _connections: int = 0
    _asked: trio.Event = attrs.Factory(trio.Event)
    _why: str = "start"
    _wanted: list[_Wanted] = attrs.Factory(list[_Wanted])  # by those who wait for it
    _found: Reconciled | None = None  # by the last good pass
    _pause: trio.CancelScope = attrs.Factory(trio.CancelScope)  # after a failed pass
    _unsettled_s: float = UNSETTLED_S
    _heard_epoch: str = ""  # of the newest order of another engine
    _heard_s: float = -math.inf
    _passed_s: float = -math.inf  # when the last pass ended
    _contradictions: dict[str, str] = attrs.Factory(dict[str, str])  # by order
    _trouble: str = ""  # why the account is not reconciled

    @property
    def unreconciled(self) -> AlarmKey:
        """The alarm of an account whose exchange does not answer for it."""
        return ("unreconciled", self.reconciliation.account)

    def ask(self, why: str) -> None:
        """Ask for a pass soon."""
        self._why = why
        self._unsettled_s = UNSETTLED_S
        self._asked.set()

    async def made(self, why: str) -> Reconciled:
        """Return what a pass finds that begins from now on.

        Raises:
          NotPossible: it failed; the text says why.
        """
        wanted = _Wanted()
        self._wanted.append(wanted)
        self._pause.cancel()
        self.ask(why)
        await wanted.is_over.wait()
        if wanted.found is None:
            raise NotPossible(f"nothing can be compared: {self._trouble}")
        return wanted.found

    def connected(self) -> None:
        """The stream stands; what happened before is found by the next pass."""
        self.is_streaming, self.is_reconciled = True, False
        self._connections += 1
        self.failures = 0
        self._pause.cancel()
        self.ask("the private stream was connected")

    def lost(self, reason: str = "") -> None:
        """Take the lease back: what happens now, nobody hears."""
        self.is_streaming = self.is_reconciled = False
        self.post_lease()
        if reason:
            self._trouble = reason
            self._tell_alarms()

    def fence(self, epoch: str) -> None:
        """Take the lease back: another engine writes on this account (I-19).

        Its orders may fill at once, so that no pass ever finds one open.
        """
        self._heard_epoch, self._heard_s = epoch, trio.current_time()
        self.post_lease()
        self._tell_alarms()

    async def keep_reconciled(self) -> None:
        """Reconcile when asked, every 60 s, and often while an order is unsettled."""
        while True:
            with trio.move_on_after(self._next_pass_s()):
                await self._asked.wait()
            await trio.sleep_until(self._passed_s + SPACING_S)
            self._asked, why, self._why = trio.Event(), self._why, "routine"
            connections, (wanted, self._wanted) = self._connections, (self._wanted, [])
            is_done = await self._pass(why)
            for each in wanted:
                each.found = self._found if is_done else None
                each.is_over.set()
            self._passed_s = trio.current_time()
            self.is_reconciled = is_done and connections == self._connections
            if self.is_streaming and self.is_reconciled:
                self._trouble = ""
            self.post_lease()
            self._tell_alarms()
            if not is_done:
                await self._wait_after_failure(why)

    async def keep_lease(self) -> None:
        """Renew the lease while there is reason to; first tell what recalled orders say."""
        orders = self.reconciliation.books.orders
        for order in (*orders.live(), *orders.ended()):
            self.look_at(order)
        while True:
            self.post_lease()
            await trio.sleep(RENEW_S)

    def post_lease(self) -> None:
        """Tell the orders actor what holds now."""
        found = self.reconciliation
        is_given = self.is_streaming and self.is_reconciled and not self._foreign_epoch()
        until_s = trio.current_time() + LEASE_S if is_given else -math.inf
        self.orders.latest("lease", Lease(found.account, until_s, found.frozen))

    def _foreign_epoch(self) -> str:
        """Return whose orders are open here, or were heard of a while ago."""
        is_recent = trio.current_time() < self._heard_s + FENCE_S
        return self.reconciliation.foreign_epoch or (self._heard_epoch if is_recent else "")

    def look_at(self, order: Order) -> None:
        """Tell a person of an order whose fills cannot be true, for good (I-4)."""
        if order.contradiction and order.client_order_id not in self._contradictions:
            self._contradictions[order.client_order_id] = order.contradiction
            self._tell_alarms()

    async def _pass(self, why: str) -> bool:
        """Make one pass; tell whether it succeeded. A failed one concludes nothing."""
        try:
            with trio.fail_after(PASS_S):
                self._found = await self.reconciliation.run(why)
        except (VenueError, JournalDown, trio.TooSlowError) as error:
            self.failures += 1
            self._trouble = str(error) or f"no answer within {PASS_S:g} s"
            await trio.lowlevel.checkpoint()
            return False
        self.failures = 0
        self.mailbox.note_work()
        return True

    async def _wait_after_failure(self, why: str) -> None:
        delay_s = min(2.0 ** min(self.failures, 10), RETRY_S_MAX)
        with trio.move_on_after(delay_s) as self._pause:
            await trio.sleep_forever()
        if not self._asked.is_set():
            self.ask(why)

    def _next_pass_s(self) -> float:
        found = self.reconciliation
        is_behind = found.booking.is_behind or found.has_vanished or found.turns.unheard
        if not (is_behind or is_unsettled(found.books)):
            self._unsettled_s = UNSETTLED_S
            return self.every_s
        wait_s = min(self._unsettled_s, self.every_s)
        self._unsettled_s = min(self._unsettled_s * 2, self.every_s)
        return min(wait_s, max(0.0, found.ages.due_s - trio.current_time()))

    def _tell_alarms(self) -> None:
        """Show a person what is wrong, and take it back when it is over.

        What a life before said stands until the first good pass of this one.
        """
        now = self._troubles()
        if self._found is None:
            now = {**self.told, **now}
        for key in sorted(self.told.keys() | now.keys()):
            if self.board is not None and now.get(key) != self.told.get(key):
                text = now.get(key) or self.told[key]
                alarm = Alarmed(self.mailbox.name, *key, text, is_over=key not in now)
                self.board.latest((Alarmed, self.mailbox.name, *key), alarm)
        self.told.clear()
        self.told.update(now)

    def _troubles(self) -> dict[AlarmKey, str]:
        """Return what keeps entries away now, and what cannot be true."""
        found = self.reconciliation
        now: dict[AlarmKey, str] = {
            ("frozen", symbol): f"{symbol} is frozen to exits: the venue holds too little"
            for symbol in found.shortage.frozen
        }
        epoch = self._foreign_epoch()
        if epoch:
            now["second_engine", found.account] = (
                f"another engine (epoch {epoch}) has orders on {found.account}: nothing"
                f" new is begun until they are gone, and it was quiet for {FENCE_S:g} s"
            )
        now |= {
            ("unknown_order", order.client_order_id): (
                f"nobody knows what became of {order.client_order_id}: {order.bot} begins"
                f" nothing new on {order.symbol} until the venue says, or `shoal settle`"
                " does"
            )
            for order in long_unknown(found.books, found.trading.now_ms())
        }
        now |= {
            ("contradiction", order_id): (
                f"order {order_id} cannot be true: {what}. Compare it with the exchange"
            )
            for order_id, what in self._contradictions.items()
        }
        if found.order_drifts:
            count, first = len(found.order_drifts), found.order_drifts[0]
            now["drift", found.account] = (
                f"{count} {'order differs' if count == 1 else 'orders differ'} between the"
                f" ledger and the exchange on {found.account}: {first}"
            )
        if self._trouble:
            account, why = found.account, self._trouble
            now[self.unreconciled] = f"{account} is cut off, entries wait: {why}"
        return now
