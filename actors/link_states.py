"""What each reader of a feed is told about the connections that carry its prices."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import attrs

from actors.messages import FeedState, PricesReplaced, Subscription, Wanted
from actors.routes import Reader, Route, downstream, worst_state

TELL_REPLACED_S = 1.0  # between two words about replaced prices


@attrs.define(eq=False)
class FeedStates:
    """A reader is told the worst of its routes; so many readers, so many words."""

    exchange: str
    outlets: Mapping[str, Reader]
    routes: Mapping[Subscription, Route]  # the fan-out's
    wanted: Mapping[str, Wanted]  # the fan-out's
    state: FeedState | None = None  # of what is wanted later
    bad_frames: int = 0  # that could not be read
    prices_replaced: int = 0  # before they were decoded
    _replaced_told_s: float = 0.0

    def announce(
        self, state: FeedState, subscriptions: Collection[Subscription] | None
    ) -> None:
        """Tell the readers of these, and of what is built from them; None: of all."""
        if subscriptions is None:
            self.state = state
            subscriptions = self.routes.keys()
        told = [self.routes[each] for each in subscriptions if each in self.routes]
        concerned: set[str] = set()
        for route in downstream(told):
            route.state = state
            concerned.update(route.readers)
        for name in self.wanted:
            if name in concerned:
                self.tell(name)

    def readers(self, subscriptions: Collection[Subscription]) -> int:
        """Return how many readers want one of these, or what is built from it."""
        told = [self.routes[each] for each in subscriptions if each in self.routes]
        return len({name for route in downstream(told) for name in route.readers})

    def count_bad(self) -> None:
        """Count a frame that could not be read, and tell every reader the new number."""
        self.bad_frames += 1
        self._tell_all()

    def count_replaced(self, message: PricesReplaced, now_s: float) -> None:
        """Count prices that newer ones replaced, and tell now and then."""
        self.prices_replaced += message.count
        if now_s - self._replaced_told_s >= TELL_REPLACED_S:
            self._replaced_told_s = now_s
            self._tell_all()

    def tell(self, name: str) -> None:
        """Tell one reader what becomes of its prices."""
        routes = [self.routes[each] for each in self.wanted[name].subscriptions]
        state = worst_state(routes)
        if state is not None:
            state = attrs.evolve(
                state, bad_frames=self.bad_frames, prices_replaced=self.prices_replaced
            )
            self.outlets[name].latest(f"feed:{self.exchange}", state)

    def _tell_all(self) -> None:
        for name in self.wanted:
            self.tell(name)
