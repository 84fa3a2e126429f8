"""The risk actor, from an intent to a verdict and to the ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.messages import (
    Approved,
    FeedState,
    Halted,
    HaltLifted,
    Link,
    Refused,
    Ticker,
    Wanted,
)
from actors.pure.caps import Caps
from actors.pure.risk_rules import Limits
from actors.pure.risk_state import RiskState
from actors.risk import NOTE_S, run_risk
from tests.actors.trading_floor import Floor, StillClock, open_floor
from tests.words import BTC, SYMBOL, attempted, filled, intended, order_intent, sold, ticker

LIMITS = Limits(capital=Decimal(10_000), allocations={"dawn": Decimal(1_000)})


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    async with open_floor(tmp_path) as made:
        yield made


async def start(floor: Floor, **changes: Any) -> trio.CancelScope:
    run = partial(risk_life, floor, attrs.evolve(LIMITS, **changes))
    return await floor.start(floor.risk, run)


async def risk_life(  # noqa: ASYNC128 -- the actor's own body calls started()
    floor: Floor, limits: Limits, *, task_status: trio.TaskStatus[None]
) -> None:
    await run_risk(
        floor.risk,
        floor.orders,
        floor.journal,
        account="main",
        symbols=frozenset({SYMBOL}),
        limits=limits,
        instruments={SYMBOL: BTC},
        want=floor.wanted.append,
        now_ms=StillClock().now_ms,
        task_status=task_status,
    )


def price(floor: Floor, last: str = "50000") -> None:
    now: Ticker = ticker(last, trio.current_time())
    floor.risk.latest("ticker", now)


async def ask(floor: Floor, **changes: Any) -> list[Any]:
    """Wish one intent; return what `orders` got of it."""
    now_s = trio.current_time()
    intent = order_intent(price_s=now_s, valid_until_s=now_s + 2, **changes)
    await floor.risk.wish(intent)
    await wait_all_tasks_blocked()
    return floor.taken(floor.orders)


async def codes(floor: Floor) -> list[str]:
    return [refused.code for refused in await floor.recorded(Refused)]


async def test_an_approved_intent_goes_on_to_orders(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    price(floor)
    verdicts = await ask(floor)
    assert [type(verdict) for verdict in verdicts] == [Approved]
    assert await codes(floor) == []


async def test_it_wants_the_prices_of_its_account(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    assert [(w.reader, len(w.subscriptions)) for w in floor.wanted] == [("risk:main", 1)]
    assert isinstance(floor.wanted[0], Wanted)


def followed(floor: Floor) -> list[list[str]]:
    return [sorted(each.symbol for each in w.subscriptions) for w in floor.wanted]


async def test_it_wants_the_prices_of_what_a_removed_bot_still_holds(
    floor: Floor, autojump_clock: MockClock
) -> None:
    gone = {"bot": "gone", "symbol": "ETH/USDT"}
    await floor.record(filled(1, 3_000, client_order_id="g1", **gone))
    await start(floor)
    assert followed(floor) == [[SYMBOL, "ETH/USDT"]]
    await floor.record(sold(1, 3_000, client_order_id="g2", trade_id="g2", **gone))
    assert followed(floor)[1:] == [[SYMBOL]]


async def test_after_a_restart_no_price_of_another_symbol_makes_a_loss_of_old_fills(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """The halt would be durable, and stand until midnight."""
    dusk = {"bot": "dusk", "client_order_id": "d1"}
    await floor.record(
        filled(1, 50_000),
        filled(1, 45_000, trade_id="d1", **dusk),
        sold(1, 45_000, trade_id="d2", **dusk),
    )
    await start(floor, daily_loss_percent_max=Decimal(5))
    floor.risk.latest("ticker", ticker("3000", trio.current_time(), symbol="ETH/USDT"))
    await wait_all_tasks_blocked()
    assert await halts(floor) == []


async def test_without_a_price_of_its_own_it_refuses(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    assert (await ask(floor), await codes(floor)) == ([], ["no_price"])


async def test_a_price_that_comes_late_replaces_no_newer_one(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """What was asked for by REST may arrive after what the stream told since."""
    await start(floor)
    await trio.sleep(60)
    price(floor)
    await wait_all_tasks_blocked()
    floor.risk.latest("rest", ticker("60000", trio.current_time() - 30))
    assert [type(verdict) for verdict in await ask(floor)] == [Approved]


async def test_a_gap_takes_the_price_away(floor: Floor, autojump_clock: MockClock) -> None:
    await start(floor)
    price(floor)
    await wait_all_tasks_blocked()
    floor.risk.latest("feed", FeedState("binance", Link.GAP, 0.0))
    assert (await ask(floor), await codes(floor)) == ([], ["no_price"])


async def test_two_intents_at_once_do_not_share_one_capital(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """The first is reserved although no fact has spoken of it yet (I-17)."""
    await start(floor)
    price(floor)
    now_s = trio.current_time()
    for name in ("i1", "i2"):
        await floor.risk.wish(
            order_intent(intent_id=name, price_s=now_s, valid_until_s=now_s + 2)
        )
    await wait_all_tasks_blocked()
    assert [verdict.intent.intent_id for verdict in floor.taken(floor.orders)] == ["i1"]
    assert await codes(floor) == ["open_entry"]


async def test_an_order_that_is_told_holds_the_next_one_up(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    price(floor)
    await floor.record(intended(), attempted())
    assert (await ask(floor, intent_id="i2"), await codes(floor)) == ([], ["open_entry"])


async def test_the_next_life_remembers_what_is_held(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await floor.record(
        intended(base=Decimal("0.015"), price=Decimal(50_000)),
        attempted(),
        filled("0.015", 50_000),
    )
    first = await start(floor)
    first.cancel()
    await wait_all_tasks_blocked()
    await start(floor)
    price(floor)
    assert (await ask(floor, intent_id="i2"), await codes(floor)) == ([], ["capital"])


async def test_an_intent_that_waited_through_a_crash_is_too_old(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """I-16: the mailbox keeps wishes over lives, the rules do not keep their promises."""
    first = await start(floor)
    first.cancel()
    await wait_all_tasks_blocked()
    await floor.risk.wish(order_intent(valid_until_s=trio.current_time() + 2))
    await trio.sleep(3)
    price(floor)
    await start(floor)
    assert (floor.taken(floor.orders), await codes(floor)) == ([], ["expired"])


async def test_a_reservation_is_freed_though_the_journal_is_silent(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    floor.journal_scope.cancel()
    for _ in range(4):
        await floor.orders.wish("full")
    price(floor)
    now_s = trio.current_time()
    await floor.risk.wish(order_intent(price_s=now_s, valid_until_s=now_s + 9))
    await trio.sleep(2.5)
    floor.taken(floor.orders)
    assert len(await ask(floor, intent_id="i2")) == 1


async def test_a_full_orders_mailbox_refuses_and_frees_the_reservation(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    price(floor)
    for _ in range(4):
        await floor.orders.wish("full")
    now_s = trio.current_time()
    await floor.risk.wish(order_intent(price_s=now_s, valid_until_s=now_s + 9))
    await trio.sleep(1.5)
    assert await codes(floor) == ["orders_busy"]
    floor.taken(floor.orders)
    assert len(await ask(floor, intent_id="i2")) == 1


async def halts(floor: Floor) -> list[tuple[str, str]]:
    return [(halted.bot, halted.code) for halted in await floor.recorded(Halted)]


async def test_a_days_loss_is_a_durable_halt_that_no_recovered_price_ends(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """R-37: found at a price, although no bot asked for anything."""
    await floor.record(filled("0.2", 50_000))
    first = await start(floor, daily_loss_percent_max=Decimal(5))
    price(floor, "47500")
    await wait_all_tasks_blocked()
    assert await halts(floor) == [("", "daily_loss")]
    await trio.sleep(2)
    price(floor, "60000")
    assert (await ask(floor), await codes(floor)) == ([], ["halted"])
    first.cancel()
    await wait_all_tasks_blocked()
    await start(floor)  # the limit is gone from the file; the halt is not
    price(floor, "60000")
    assert await ask(floor, intent_id="i2") == []
    assert await halts(floor) == [("", "daily_loss")]


async def test_a_price_from_the_far_future_ends_no_halt(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """Codecs take every time until 2100."""
    until_ms = StillClock().now_ms() + 1
    await floor.record(Halted("", "main", "daily_loss", "", until_ms))
    await start(floor)
    far = ticker("50000", trio.current_time(), exchange_ms=4_102_444_800_000)
    floor.risk.latest("ticker", far)
    await wait_all_tasks_blocked()
    assert (await ask(floor), await codes(floor)) == ([], ["halted"])


async def test_a_cap_that_the_life_before_had_reached_halts_in_the_next_one(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """R-46: a restart resets nothing."""
    caps = {"dawn": Caps(daily_turnover_quote_max=Decimal(600))}
    await floor.record(filled("0.01", 50_000, client_order_id="c0"))
    first = await start(floor)
    first.cancel()
    await wait_all_tasks_blocked()
    await start(floor, caps=caps)
    price(floor)
    assert (await ask(floor), await codes(floor)) == ([], ["halted"])
    assert await halts(floor) == [("dawn", "daily_turnover")]


async def test_a_halt_is_in_force_though_the_journal_is_silent_and_is_recorded_later(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor, caps={"dawn": Caps(daily_turnover_quote_max=Decimal(1))})
    floor.journal_scope.cancel()
    price(floor)
    now_s = trio.current_time()
    await floor.risk.wish(order_intent(price_s=now_s, valid_until_s=now_s + 2))
    await trio.sleep(5)
    assert floor.taken(floor.orders) == []
    await floor.start_journal()
    price(floor)
    await trio.sleep(2)
    assert ("dawn", "daily_turnover") in await halts(floor)


async def test_a_halt_that_a_slow_journal_wrote_is_not_written_again_after_it_was_lifted(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """R-37: an operator lifted it; nobody would know where it came from."""
    await floor.record(filled("0.2", 50_000))
    await start(floor, daily_loss_percent_max=Decimal(5))
    floor.disk.slow_s = NOTE_S + 0.5
    price(floor, "47500")
    await trio.sleep(2 * NOTE_S)
    floor.disk.slow_s = 0.0
    await floor.record(HaltLifted("", "main", "daily_loss", "seen"))
    price(floor, "60000")
    await trio.sleep(5)
    assert await halts(floor) == [("", "daily_loss")]


async def test_when_the_code_that_counts_the_loss_raises_it_is_the_supervisors_crash(
    floor: Floor, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-37: nothing is approved by a risk check that cannot count."""

    def broken(_state: RiskState) -> Decimal:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(RiskState, "result_today", broken)
    run = partial(risk_life, floor, attrs.evolve(LIMITS, daily_loss_percent_max=Decimal(5)))
    with pytest.RaisesGroup(ZeroDivisionError):
        async with trio.open_nursery() as nursery:
            await nursery.start(run)
            now_s = trio.current_time()
            intent = order_intent(price_s=now_s, valid_until_s=now_s + 2)
            await floor.risk.wish(intent)
    assert floor.taken(floor.orders) == []
