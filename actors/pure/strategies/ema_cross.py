"""Buy when a fast average crosses above a slow one, sell when it crosses below. Pure.

A cross is seen on closed candles only, and closed is what the venue says (R-26). Where the
bot evaluates on every tick, the live price also counts as the close of the running
candle: such a cross is provisional, is signalled once, and is not said again when the
candle closes. One that the close does not confirm is not taken back; the stop guards it.

A new life does not know what the one before has said of the candle that it begins with:
where something is held by then, it buys nothing more before the next candle (I-18).

strength: how far the averages are apart, 1 % or more of the slow one being 1.
confidence: 1 on closed candles, 0.5 while the candle runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs

from actors.messages import Candle, Signal, SignalType
from actors.pure.indicators import ema, ema_step, ema_weight
from actors.pure.market_view import Cause, MarketView

WARM_UPS = 3  # spans of the slow average that settle it: e^-4 of its seed is left
_PLACES = Decimal("1E-8")


def _whole(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1_000:
        text = f"{attribute.name} = {value!r} is not a whole number from 1 to 1000"
        raise ValueError(text)


@attrs.frozen
class _Averages:
    """The two averages after one closed candle."""

    open_ms: int  # of that candle
    fast: Decimal
    slow: Decimal

    @property
    def gap(self) -> Decimal:
        return self.fast - self.slow


_NONE_YET = _Averages(-1, Decimal(0), Decimal(0))


@attrs.define
class EmaCross:
    """`fast` and `slow` are counts of candles."""

    fast: int = attrs.field(default=12, validator=_whole, on_setattr=attrs.setters.frozen)
    slow: int = attrs.field(default=26, validator=_whole, on_setattr=attrs.setters.frozen)
    _now: _Averages = attrs.field(default=_NONE_YET, init=False)
    _said: SignalType | None = attrs.field(default=None, init=False)  # since that candle
    _begun_ms: int = attrs.field(default=-1, init=False)  # open of the first candle judged
    _weights: tuple[Decimal, Decimal] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"fast = {self.fast} is not less than slow = {self.slow}")
        self._weights = (ema_weight(self.fast), ema_weight(self.slow))

    @property
    def candles_min(self) -> int:
        return WARM_UPS * self.slow

    def evaluate(self, view: MarketView) -> Signal:
        """Return BUY on a cross up, SELL on a cross down, else HOLD and why."""
        signal = self._judge(view)
        if signal.type is not SignalType.BUY or view.position is None:
            return signal
        if view.window[-1].open_ms != self._begun_ms:
            return signal
        return _hold("a life before may have bought on this cross: it is held", self._now)

    def _judge(self, view: MarketView) -> Signal:
        count = len(view.window)
        if count < self.candles_min:
            return _hold(f"warming up: {count} of {self.candles_min} candles")
        newest = view.window[-1]
        if newest.open_ms != self._now.open_ms:
            crossed = self._close(view.window)
            if crossed is not None:
                return self._signal(crossed, self._now, confidence=1.0)
        now = self._now
        if view.cause is not Cause.TICK:
            return _hold(f"{_distance(now)}, no cross", now)
        return self._evaluate_live(now, view.ticker.last)

    def _evaluate_live(self, now: _Averages, price: Decimal) -> Signal:
        fast_weight, slow_weight = self._weights
        live = _Averages(
            now.open_ms,
            ema_step(now.fast, price, fast_weight),
            ema_step(now.slow, price, slow_weight),
        )
        crossed = _cross(now, live)
        if crossed is None or self._said is not None:
            return _hold(f"{_distance(live)}, no cross", live)
        self._said = crossed
        return self._signal(crossed, live, confidence=0.5)

    def _close(self, window: Sequence[Candle]) -> SignalType | None:
        """Take the candles closed since the last time; return the cross they made."""
        said, self._said = self._said, None
        before = self._advance(window)
        crossed = _cross(before, self._now)
        return None if crossed is said else crossed

    def _advance(self, window: Sequence[Candle]) -> _Averages:
        """Bring the averages up to the window's end; return those they came from."""
        known = self._now
        new = 0
        while new < len(window) and window[-1 - new].open_ms != known.open_ms:
            new += 1
        if new == len(window):
            return self._begin(window)
        fast_weight, slow_weight = self._weights
        fast, slow = known.fast, known.slow
        for candle in window[len(window) - new :]:
            fast = ema_step(fast, candle.close, fast_weight)
            slow = ema_step(slow, candle.close, slow_weight)
        self._now = _Averages(window[-1].open_ms, fast, slow)
        return known

    def _begin(self, window: Sequence[Candle]) -> _Averages:
        closes = [candle.close for candle in window]
        fast, slow = ema(closes, self.fast), ema(closes, self.slow)
        self._now = _Averages(window[-1].open_ms, fast[-1], slow[-1])
        self._begun_ms = self._now.open_ms
        return _Averages(window[-2].open_ms, fast[-2], slow[-2])

    def _signal(self, crossed: SignalType, at: _Averages, *, confidence: float) -> Signal:
        side = "above" if crossed is SignalType.BUY else "below"
        kind = "closed candle" if confidence == 1.0 else "live price, candle still open"
        reason = f"EMA {self.fast} crossed {side} EMA {self.slow} ({kind})"
        strength = min(1.0, abs(float(_gap_percent(at))))
        return Signal(crossed, strength, confidence, (reason,), _indicators(at))


def _cross(before: _Averages, now: _Averages) -> SignalType | None:
    if before.gap <= 0 < now.gap:
        return SignalType.BUY
    if before.gap >= 0 > now.gap:
        return SignalType.SELL
    return None


def _hold(reason: str, averages: _Averages | None = None) -> Signal:
    if averages is None:
        return Signal(SignalType.HOLD, 0.0, 1.0, (reason,))
    strength = min(1.0, abs(float(_gap_percent(averages))))
    return Signal(SignalType.HOLD, strength, 1.0, (reason,), _indicators(averages))


def _gap_percent(averages: _Averages) -> Decimal:
    return averages.gap * 100 / averages.slow


def _distance(averages: _Averages) -> str:
    gap = _gap_percent(averages)
    return f"fast {abs(gap):.2f} % {'above' if gap > 0 else 'below'} slow"


def _indicators(averages: _Averages) -> dict[str, Decimal]:
    return {
        "ema_fast": averages.fast.quantize(_PLACES),
        "ema_slow": averages.slow.quantize(_PLACES),
        "gap_percent": _gap_percent(averages).quantize(_PLACES),
    }
