"""The example in docs/writing-a-strategy.md is a strategy that works."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from actors.messages import Signal, SignalType
from actors.pure.market_view import Cause, Held, MarketView
from actors.pure.signals import checked
from actors.pure.strategies import BadStrategy, build
from tests.words import SYMBOL, candle, ticker

GUIDE = Path(__file__).parents[2] / "docs" / "writing-a-strategy.md"
HELD = Held(Decimal(100), Decimal(1), Decimal(0))


@pytest.fixture
def breakout(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The class that the guide's first block of Python makes."""
    block = re.search(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    module = ModuleType("breakout")
    monkeypatch.setitem(sys.modules, "breakout", module)
    exec(compile(block[1], str(GUIDE), "exec"), module.__dict__)  # noqa: S102  # the guide's own text
    return module.__dict__["Breakout"]


def signal(breakout: Any, price: str, position: Held | None = None) -> Signal:
    window = tuple(candle(n, 100 + n % 5) for n in range(20))
    view = MarketView(SYMBOL, ticker(price), window, None, position, 0, Cause.CANDLE)
    return checked(build(breakout, {"periods": 10}).evaluate(view), "breakout")


def test_the_example_buys_a_breakout(breakout: Any) -> None:
    assert signal(breakout, "105").type is SignalType.BUY


def test_the_example_sells_what_it_holds_and_nothing_else(breakout: Any) -> None:
    assert signal(breakout, "99", HELD).type is SignalType.SELL
    assert signal(breakout, "99").type is SignalType.HOLD


def test_the_example_says_why_it_holds(breakout: Any) -> None:
    assert signal(breakout, "102").reasons == ("102 is between 100 and 104",)


def test_the_example_refuses_a_bad_parameter(breakout: Any) -> None:
    with pytest.raises(BadStrategy, match="periods"):
        build(breakout, {"periods": 1})
