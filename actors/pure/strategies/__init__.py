"""The strategies that come with Shoal, and how one is built from its parameters. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import attrs

from actors.pure.market_view import Strategy
from actors.pure.strategies.ema_cross import EmaCross

StrategyClass = Callable[..., Strategy]

BUILT_IN: Mapping[str, StrategyClass] = MappingProxyType({"ema_cross": EmaCross})


class BadStrategy(ValueError):
    """A strategy cannot be built as asked; the text says why, in one line."""


def build(strategy: StrategyClass, params: Mapping[str, Any]) -> Strategy:
    """Return a new strategy of this class.

    Raises:
      BadStrategy: a parameter is unknown or has a value that the strategy refuses.
    """
    name = getattr(strategy, "__name__", str(strategy))
    _check_names(name, strategy, params)
    try:
        built = strategy(**params)
    except (TypeError, ValueError) as error:
        raise BadStrategy(f"{name}: {_first_line(error)}") from error
    candles_min: object = getattr(built, "candles_min", None)
    if not isinstance(candles_min, int) or candles_min < 0:
        raise BadStrategy(f"{name}: candles_min is {candles_min!r}, not a count")
    if not callable(getattr(built, "evaluate", None)):
        raise BadStrategy(f"{name} has no evaluate(view)")
    return built


def _check_names(name: str, strategy: StrategyClass, params: Mapping[str, Any]) -> None:
    if not (isinstance(strategy, type) and attrs.has(strategy)):
        return
    known = [field.alias for field in attrs.fields(strategy) if field.init]
    for given in params:
        if given not in known:
            near = get_close_matches(given, [k for k in known if k], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise BadStrategy(f"{name} has no parameter {given!r}{hint}")


def _first_line(error: Exception) -> str:
    text = str(error.args[0]) if error.args else str(error)
    return text.splitlines()[0][:200] if text else type(error).__name__
