"""The candle windows of one exchange: take candles, take history, show what was closed."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from actors.messages import Candle, Candles, Subscription
from actors.pure.candle_window import CandleStep, CandleWindow
from actors.routes import Reader, Route, merge_candles

CANDLES_MIN = 120  # closed candles kept at least


@attrs.define(eq=False)
class Charts:
    """One window for each subscribed symbol and timeframe, shared by its readers."""

    exchange: str
    windows: dict[Subscription, CandleWindow] = attrs.Factory(
        dict[Subscription, CandleWindow]
    )

    def open(self, subscription: Subscription) -> None:
        """Begin a window; it needs history."""
        self.windows[subscription] = CandleWindow(CANDLES_MIN)

    def close(self, subscription: Subscription) -> None:
        """Forget a window that nobody reads any more."""
        self.windows.pop(subscription, None)

    def deepen(self, subscription: Subscription, candles_min: int) -> bool:
        """Keep more candles if a reader needs them; tell whether history is needed."""
        window = self.windows[subscription]
        if candles_min <= window.depth:
            return False
        window.depth, window.is_loaded = candles_min, False
        return True

    def lost(self, subscription: Subscription) -> None:
        """Note that candles may have been missed."""
        self.windows[subscription].is_loaded = False

    def take(self, route: Route, candle: Candle) -> bool:
        """Take a candle and show it; tell whether history is needed."""
        window = self.windows[route.subscription]
        step = window.take(candle)
        if step is CandleStep.HOLE:
            return True
        if step is not CandleStep.OLD:
            self._show(route, window, (candle,) if step is CandleStep.CLOSED else ())
        return False

    def load(self, route: Route, history: Sequence[Candle]) -> None:
        """Fill a window from REST; readers get the final candles they have missed."""
        window = self.windows[route.subscription]
        self._show(route, window, window.load(history))

    def show_known(self, route: Route, reader: Reader) -> None:
        """Show a reader that has joined the window as it is."""
        window = self.windows[route.subscription]
        if window.candles:
            reader.latest(route.key, self._shown(route, window, ()), merge_candles)

    def _show(self, route: Route, window: CandleWindow, closed: tuple[Candle, ...]) -> None:
        shown = self._shown(route, window, closed)
        for mailbox in route.mailboxes:
            mailbox.latest(route.key, shown, merge_candles)

    def _shown(
        self, route: Route, window: CandleWindow, closed: tuple[Candle, ...]
    ) -> Candles:
        symbol, timeframe = route.subscription.symbol, route.subscription.timeframe
        return Candles(
            self.exchange, symbol, timeframe, closed, window.candles, window.running
        )
