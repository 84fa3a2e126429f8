"""The candle windows of one exchange: what is built from what, and what readers are shown.

stream --candles, trades--> [charts] --Candles (latest, merged)--> readers
REST ----history----------> [charts]

Of the timeframes of a symbol that are wanted, the shortest comes by the stream, or is
built from trades where the venue tells no candles; longer ones are built from it. A candle
of which something was missed is not shown until REST has told it whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from actors.messages import Candle, Candles, Channel, StreamTerms, Subscription, Traded
from actors.pure.candle_builder import Built, CandleBuilder
from actors.pure.candle_window import CandleStep, CandleWindow
from actors.pure.sparse_window import SparseWindow
from actors.pure.timeframes import STREAM, TRADES, longest_part, sources
from actors.routes import Reader, Route, downstream, merge_candles, upstream

CANDLES_MIN = 120  # closed candles kept at least

Window = CandleWindow | SparseWindow


@attrs.define(eq=False)
class Charts:
    """One window for each symbol and timeframe that is read or built from."""

    exchange: str
    terms: StreamTerms
    routes: dict[Subscription, Route]  # the fan-out's
    open_route: Callable[[Subscription], Route]
    close_route: Callable[[Route], None]
    ask: Callable[[Subscription], None]  # for history
    windows: dict[Subscription, Window] = attrs.Factory(dict[Subscription, Window])

    def plan(self, symbol: str) -> None:
        """Open what the wanted timeframes are built from; close what serves nobody."""
        charts = [s for s in self.windows if s.symbol == symbol]
        wanted = {s.timeframe for s in charts if self.routes[s].readers}
        chosen = sources(wanted, self.terms.timeframes)
        for timeframe, named in chosen.items():
            route = self._route(Subscription(symbol, Channel.CANDLES, timeframe))
            self._wire(route, self._source(symbol, named))
        for subscription in charts:
            if subscription.timeframe not in chosen:
                route = self.routes[subscription]
                self._unwire(route)
                self.close_route(route)
        trades = self.routes.get(Subscription(symbol, Channel.TRADES))
        if trades is not None and not trades.readers and not trades.feeds:
            self.close_route(trades)

    def open(self, subscription: Subscription) -> None:
        """Begin a window; it needs history."""
        self.windows[subscription] = CandleWindow(CANDLES_MIN)

    def close(self, subscription: Subscription) -> None:
        """Forget a window."""
        self.windows.pop(subscription, None)

    def deepen(self, subscription: Subscription, candles_min: int) -> bool:
        """Keep more candles if a reader needs them; tell whether history is needed."""
        window = self.windows[subscription]
        if candles_min <= window.depth:
            return False
        window.depth, window.is_loaded = candles_min, False
        return True

    def lost(self, route: Route) -> None:
        """Note that candles, or trades that make them, may have been missed."""
        window = self.windows.get(route.subscription)
        if window is not None:
            window.break_off()
            self.ask(route.subscription)
        if route.builder is not None:
            route.builder.broken()

    def hide(self, route: Route) -> None:
        """Show readers none until the window is whole again (R-20).

        On the candles' own edge: what a gap says may come later than what has mended it.
        """
        symbol, timeframe = route.subscription.symbol, route.subscription.timeframe
        none = Candles(self.exchange, symbol, timeframe, (), (), None)
        for mailbox in route.mailboxes:
            mailbox.latest(route.key, none, merge_candles)

    def take(self, route: Route, candle: Candle) -> None:
        """Take a candle, show it, and build longer ones from it."""
        window = self.windows[route.subscription]
        step = window.take(candle)
        if step is CandleStep.HOLE:
            self.ask(route.subscription)
        elif step is not CandleStep.OLD:
            closed = window.closed_late
            if step is CandleStep.CLOSED:
                closed = (*closed, candle)
            self._show(route, window, closed)
            for part in (*closed, *_running(window)):
                self._feed(route, part)

    def trade(self, route: Route, trade: Traded) -> None:
        """Build candles from a trade."""
        for fed in route.feeds:
            if fed.builder is not None:
                self._built(fed, fed.builder.trade(trade))

    def load(self, route: Route, history: Sequence[Candle]) -> None:
        """Fill a window from REST; readers get the final candles they have missed."""
        window = self.windows[route.subscription]
        new = window.load(history)
        if window.is_loaded:
            self._show(route, window, new)
            for fed in route.feeds:
                self._build_anew(fed, window)

    def show_known(self, route: Route, reader: Reader) -> None:
        """Show a reader that has joined the window as it is, if it is whole."""
        window = self.windows[route.subscription]
        if window.candles and window.is_loaded:
            reader.latest(route.key, self._shown(route, window, ()), merge_candles)

    def _route(self, subscription: Subscription) -> Route:
        return self.routes.get(subscription) or self.open_route(subscription)

    def _source(self, symbol: str, named: str) -> Route | None:
        if named == STREAM:
            return None
        if named == TRADES:
            return self._route(Subscription(symbol, Channel.TRADES))
        return self._route(Subscription(symbol, Channel.CANDLES, named))

    def _wire(self, route: Route, source: Route | None) -> None:
        """Let `route` be built from `source`, or told by the stream."""
        window = self.windows[route.subscription]
        root = source and upstream(source)
        is_of_trades = root is not None and root.subscription.channel is Channel.TRADES
        is_sparse = is_of_trades or not self.terms.has_quiet_candles
        if isinstance(window, SparseWindow) is not is_sparse:
            kind = SparseWindow if is_sparse else CandleWindow
            window = kind(window.depth, window.candles)
            self.windows[route.subscription] = window
        if source is route.source and (source is None or route.builder is not None):
            return None
        self._unwire(route)
        if source is None:
            return self.lost(route)
        route.source, route.state = source, source.state
        source.feeds.append(route)
        for each in downstream([route]):
            self.lost(each)
        parts = self.windows.get(source.subscription)
        route.builder = CandleBuilder(route.subscription.timeframe)
        if parts is not None and parts.is_loaded:
            self._build_anew(route, parts)
        return None

    def _unwire(self, route: Route) -> None:
        if route.source is not None:
            route.source.feeds.remove(route)
        route.source = route.builder = None

    def _build_anew(self, fed: Route, parts: Window) -> None:
        """Build from all that is known of the shorter candles."""
        fed.builder = CandleBuilder(fed.subscription.timeframe)
        for part in (*parts.candles, *_running(parts)):
            self._built(fed, fed.builder.take(part))

    def _feed(self, route: Route, part: Candle) -> None:
        for fed in route.feeds:
            if fed.builder is not None:
                self._built(fed, fed.builder.take(part))

    def _built(self, route: Route, built: Built) -> None:
        if built.missed_ms is not None:
            window = self.windows[route.subscription]
            if not window.candles or built.missed_ms > window.candles[-1].open_ms:
                is_told = self._has_history(route.subscription.timeframe)
                window.is_loaded = False
                window.needs_ms = built.missed_ms if is_told else -1
                self.ask(route.subscription)
        for candle in built.candles:
            self.take(route, candle)

    def _has_history(self, timeframe: str) -> bool:
        """Tell whether REST can tell what was missed; if not, windows begin after it."""
        told = self.terms.history
        return not told or longest_part(timeframe, told) is not None

    def _show(self, route: Route, window: Window, closed: tuple[Candle, ...]) -> None:
        if route.mailboxes:
            shown = self._shown(route, window, closed)
            for mailbox in route.mailboxes:
                mailbox.latest(route.key, shown, merge_candles)

    def _shown(self, route: Route, window: Window, closed: tuple[Candle, ...]) -> Candles:
        symbol, timeframe = route.subscription.symbol, route.subscription.timeframe
        return Candles(
            self.exchange, symbol, timeframe, closed, window.candles, window.running
        )


def _running(window: Window) -> tuple[Candle, ...]:
    return () if window.running is None else (window.running,)
