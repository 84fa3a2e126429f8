"""The connections of one feed: as few as the limits allow, replaced before they age.

fan-out --routes--> [pool] --subscriptions--> connections

One more opens when the others are full, and one that carries nothing closes. What the
others have room for is moved to them, and a connection that the venue would soon close
for its age is replaced, both without a gap: the old one goes on until the new one has
proven every subscription. A handover that fails changes nothing, and is tried again.
"""

from __future__ import annotations

import attrs
import trio

from actors.feed_connection import FeedConnection, Surroundings
from actors.feed_handover import GRACE_S, Handover
from actors.messages import (
    ConnectionReplaced,
    ExchangeDisconnected,
    FeedState,
    Link,
    Subscription,
)
from actors.ports import VenueError
from actors.pure.pool import emptied, spread
from actors.records import note

CONNECT_GAP_S = 0.25  # between two connects, besides what the venue's gate says
LOOK_S = 1.0  # between two looks at ages and rooms
SETTLE_S = 10.0  # the demand is left alone so long before connections are merged
ECHO_S = 10.0  # a new connection lags so long behind the old one at most
AGAIN_S = 60.0  # between two handovers, where one has failed
AGE_SHARE = 0.1  # of the venue's limit, kept for the handover
AGE_SPARE_S_MAX = 600.0


@attrs.define(eq=False)
class FeedPool:
    """Ends with the nursery that its connections run in."""

    around: Surroundings
    nursery: trio.Nursery
    connections: dict[int, FeedConnection] = attrs.Factory(dict[int, FeedConnection])
    handover: Handover | None = None
    _connect_s: float = 0.0  # not before then
    _changed_s: float = 0.0
    _again_s: float = 0.0

    async def run(self) -> None:
        """Replace old connections and merge half-empty ones, one at a time, for ever."""
        while True:
            await trio.sleep(LOOK_S)
            old = self._aged()
            if old is not None:
                new = self._open(max(self.connections) + 1)
                age_h = (trio.current_time() - old.opened_s) / 3600
                await self._hand_over(old, {new: set(old.carried)}, f"{age_h:.1f} h old")
            elif (merge := self._spare()) is not None:
                await self._hand_over(*merge, "the others have room")

    def demand_changed(self) -> None:
        """Spread what is wanted now over the connections."""
        self._changed_s = trio.current_time()
        wanted = self.around.fan_out.on_wire()
        carried = {number: each.carried for number, each in self.connections.items()}
        if self.handover is not None:  # it is short, and what is new waits for its end
            known = {each for share in carried.values() for each in share}
            for gone in sorted(known - wanted, key=str):
                self.handover.forget(gone)
            wanted &= known
        shares = spread(
            wanted, carried, subscriptions_max=self.around.market.terms.subscriptions_max
        )
        for number, share in shares.items():
            self._carry(self.connections.get(number) or self._open(number), share)

    def drop(self, error: VenueError) -> None:
        """End every connection; the next ones prove everything anew (D-6)."""
        for connection in tuple(self.connections.values()):
            connection.drop(error)

    def begin_anew(self, subscription: Subscription) -> None:
        """Have the stream begin a subscription again, which has a hole."""
        for connection in self.connections.values():
            if connection.session is not None and subscription in connection.carried:
                connection.session.begin_anew(subscription)

    def __contains__(self, subscription: object) -> bool:
        """Tell whether a subscription is subscribed to."""
        return any(
            each.session is not None and subscription in each.session.subscribed_s
            for each in self.connections.values()
        )

    def _carry(self, connection: FeedConnection, share: set[Subscription]) -> None:
        fresh = share - connection.carried
        is_changed = share != connection.carried
        connection.carried = share
        if fresh:
            exchange = self.around.settings.exchange
            now_s = trio.current_time()
            state = connection.state or FeedState(exchange, Link.CONNECTING, now_s)
            connection.say(state, fresh)
        if not share and not connection.coming:
            self._close(connection)
        elif is_changed:
            connection.demand_changed()

    def _open(self, number: int) -> FeedConnection:
        connection = self.connections[number] = FeedConnection(
            number,
            self.around,
            self._may_connect,
            self._has_connected,
            self._takes_loss,
            self.around.fan_out.deliver,
        )
        self.nursery.start_soon(connection.keep)
        return connection

    def _close(self, connection: FeedConnection) -> None:
        self.connections.pop(connection.number, None)
        connection.close()

    async def _may_connect(self) -> None:
        """Wait for our turn to connect."""
        due_s = max(self._connect_s, trio.current_time())
        self._connect_s = due_s + CONNECT_GAP_S
        await trio.sleep_until(due_s)

    def _has_connected(self) -> bool:
        return any(each.session is not None for each in self.connections.values())

    def _aged(self) -> FeedConnection | None:
        """Return the connection to be replaced now, if there is one."""
        age_s_max, now_s = self.around.market.terms.age_s_max, trio.current_time()
        if age_s_max is None or now_s < self._again_s:
            return None
        age_s = age_s_max - min(AGE_SPARE_S_MAX, age_s_max * AGE_SHARE)
        aged = [
            each
            for each in self.connections.values()
            if _is_resumed(each) and now_s - each.opened_s >= age_s
        ]
        return min(aged, key=lambda each: each.opened_s, default=None)

    def _spare(
        self,
    ) -> tuple[FeedConnection, dict[FeedConnection, set[Subscription]]] | None:
        """Return a connection that the others have room for, and who takes what."""
        now_s = trio.current_time()
        is_settled = now_s >= max(self._changed_s + SETTLE_S, self._again_s)
        if not is_settled or not all(map(_is_resumed, self.connections.values())):
            return None
        found = emptied(
            {number: each.carried for number, each in self.connections.items()},
            subscriptions_max=self.around.market.terms.subscriptions_max,
        )
        if found is None:
            return None
        number, moves = found
        by_connection = {self.connections[to]: moved for to, moved in moves.items()}
        return self.connections[number], by_connection

    async def _hand_over(
        self,
        old: FeedConnection,
        moves: dict[FeedConnection, set[Subscription]],
        why: str,
    ) -> None:
        begun_s, count = trio.current_time(), len(old.carried)
        limits = self.around.settings.silence
        handover = Handover(self.around.fan_out, old, moves, limits)
        self.handover = handover
        handover.begin()
        with trio.move_on_at(begun_s + limits.proof_s):
            await handover.settled.wait()
        await trio.sleep(GRACE_S)
        if self.handover is handover and not handover.is_good():
            with trio.move_on_at(begun_s + limits.proof_s):
                await handover.done.wait()
        if self.handover is not handover:
            return  # a connection was lost meanwhile, which has ended it
        if handover.is_good():
            self._finish(handover)
            took_ms = int((trio.current_time() - begun_s) * 1000)
            exchange, echoes = self.around.settings.exchange, handover.echoes
            replaced = ConnectionReplaced(exchange, why, count, took_ms, echoes)
            self.nursery.start_soon(note, self.around.journal, replaced)
        else:
            self._cancel(handover)

    def _finish(self, handover: Handover) -> set[Subscription]:
        self.handover = None
        for new in handover.moves:
            new.state = new.state or handover.old.state
        unproven = handover.finish()
        self.nursery.start_soon(_end_later, handover)
        self._close(handover.old)
        self.demand_changed()
        return unproven

    def _cancel(self, handover: Handover) -> None:
        self.handover = None
        self._again_s = trio.current_time() + AGAIN_S
        handover.cancel()
        for new in handover.moves:
            if not new.carried:
                self._close(new)
        self.demand_changed()

    def _takes_loss(self, connection: FeedConnection, error: VenueError) -> bool:
        """Tell whether other connections make up for the loss of one that is replaced."""
        handover = self.handover
        if handover is None:
            return False
        if connection is handover.old:
            unproven = self._finish(handover)
            if unproven:
                fact = ExchangeDisconnected(self.around.settings.exchange, str(error))
                self.nursery.start_soon(note, self.around.journal, fact)
            for new in handover.moves:
                if lost := new.carried & unproven:
                    new.lose(str(error), lost)
                if new.session is not None:
                    new.session.doubt()
            return True
        if connection in handover.moves:
            self._cancel(handover)
            return connection.number not in self.connections
        return False


async def _end_later(handover: Handover) -> None:
    await trio.sleep(ECHO_S)
    handover.end()


def _is_resumed(connection: FeedConnection) -> bool:
    state = connection.state
    return (
        state is not None and state.link is Link.RESUMED and connection.session is not None
    )
