"""The bot actor: prices in, wishes out, through crashes and silences."""

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

from actors.bot import BotMail, run_bot
from actors.messages import (
    BotPaused,
    Candles,
    Channel,
    ClockStepped,
    Evaluated,
    ExitIntent,
    FeedState,
    Link,
    OrderIntent,
    Outcome,
    Pair,
    PriceUpdated,
    Refused,
    Signal,
    SignalGenerated,
    Wanted,
)
from actors.pure.bot_wishes import BotSettings
from actors.pure.market_view import MarketView
from tests.actors.trading_floor import Floor, open_floor
from tests.words import BTC, BUY, HOLD, SELL, SYMBOL, attempted, filled, intended, ticker

SETTINGS = BotSettings(
    name="dawn",
    account="main",
    exchange="binance",
    symbol=SYMBOL,
    strategy="scripted",
    capital=Decimal(10_000),
    position_percent=Decimal(10),
    evaluate_s="tick",
)


@attrs.define
class Script:
    """What the strategies of all lives say next; an exception is raised."""

    says: Any = HOLD
    candles_min: int = 0
    built: int = 0
    seen_s: list[float] = attrs.Factory(list[float])

    def build(self) -> Script:
        self.built += 1
        return self

    def evaluate(self, view: MarketView) -> Signal:
        self.seen_s.append(trio.current_time())
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    async with open_floor(tmp_path) as made:
        yield made


def body(floor: Floor, script: Script, **changes: Any) -> Any:
    return partial(
        run_bot,
        floor.bot,
        floor.risk,
        floor.orders,
        floor.journal,
        floor.board,
        settings=attrs.evolve(SETTINGS, **changes),
        instruments={SYMBOL: BTC},
        strategy=script.build,
        ids=floor.ids("dawn"),
        want={"binance": floor.wanted.append},
    )


async def start(floor: Floor, script: Script, **changes: Any) -> trio.CancelScope:
    return await floor.start(floor.bot, body(floor, script, **changes))


async def tell(floor: Floor, message: BotMail, key: str = "ticker") -> None:
    floor.bot.latest(key, message)
    await wait_all_tasks_blocked()


async def price(floor: Floor, last: str = "50000") -> None:
    await tell(floor, ticker(last, trio.current_time()))


def shown(floor: Floor) -> Evaluated:
    """Return the newest outcome on the board."""
    return [each for each in floor.taken(floor.board) if isinstance(each, Evaluated)][-1]


HELD = (intended(base=Decimal("0.02")), attempted(), filled("0.02", 50_000))


async def test_a_tick_becomes_an_intent_at_risk_and_a_signal_in_the_ledger(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor, Script(BUY))
    await price(floor)
    wishes = floor.taken(floor.risk)
    assert [type(wish) for wish in wishes] == [OrderIntent]
    assert wishes[0].intent_id == "e/r/dawn/1/1"
    assert [fact.signal.type for fact in await floor.recorded(SignalGenerated)] == [
        BUY.type
    ]


async def test_the_order_is_the_outcome_on_the_board(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor, Script(BUY))
    await price(floor)
    intent_id = floor.taken(floor.risk)[0].intent_id
    assert shown(floor).outcome is Outcome.SENT
    await floor.record(intended(intent_id=intent_id), attempted(intent_id, "c9"))
    last = shown(floor)
    assert (last.outcome, last.order_id) == (Outcome.ORDERED, "c9")


async def test_a_sale_goes_to_orders_and_not_through_risk(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await floor.record(*HELD)
    await start(floor, Script(SELL))
    await price(floor)
    wishes = floor.taken(floor.orders)
    assert [type(wish) for wish in wishes] == [ExitIntent]
    assert (wishes[0].base, floor.taken(floor.risk)) == (Decimal("0.02"), [])


async def test_an_open_risk_circuit_refuses_entries_and_lets_exits_pass(
    floor: Floor, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I-12."""
    monkeypatch.setattr(floor.risk, "closed_because", "risk_down")
    monkeypatch.setattr(floor.orders, "closed_because", "orders_down")
    await floor.record(*HELD)
    script = Script(BUY)
    await start(floor, script)
    await price(floor)
    assert (floor.taken(floor.risk), shown(floor).code) == ([], "risk_down")
    assert [fact.code for fact in await floor.recorded(Refused)] == ["risk_down"]
    script.says = SELL
    await price(floor)
    assert len(floor.taken(floor.orders)) == 1


async def test_a_busy_risk_is_a_refusal_after_the_intent_s_own_time(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor, Script(BUY))
    for _ in range(64):
        await floor.risk.wish("full")
    floor.bot.latest("ticker", ticker("50000", trio.current_time()))
    await trio.sleep(3)
    assert shown(floor).code == "risk_busy"
    assert len(floor.taken(floor.risk)) == 64


async def test_it_says_what_it_wants(floor: Floor, autojump_clock: MockClock) -> None:
    await start(floor, Script(candles_min=35), timeframe="5m")
    (wanted,) = floor.wanted
    assert isinstance(wanted, Wanted)
    assert sorted(sub.timeframe for sub in wanted.subscriptions) == ["", "5m"]
    assert (wanted.reader, wanted.candles_min) == ("bot:dawn", 35)


async def test_a_timed_bot_evaluates_by_the_clock(
    floor: Floor, autojump_clock: MockClock
) -> None:
    script = Script()
    await start(floor, script, evaluate_s=60.0, price_age_s_max=100.0)
    begun_s = trio.current_time()
    for _ in range(13):
        await price(floor)
        await trio.sleep(10)
    assert [at_s - begun_s for at_s in script.seen_s] == [0, 60, 120]


async def test_without_prices_a_timed_bot_says_so_once(
    floor: Floor, autojump_clock: MockClock
) -> None:
    script = Script()
    await start(floor, script, evaluate_s=10.0)
    await trio.sleep(35)
    assert (script.seen_s, shown(floor).repeated) == ([], 2)
    assert [fact.code for fact in await floor.recorded(Refused)] == ["no_price"]


async def test_nothing_is_evaluated_between_gap_and_resumed(
    floor: Floor, autojump_clock: MockClock
) -> None:
    script = Script()
    await start(floor, script)
    await tell(floor, FeedState("binance", Link.GAP, 0.0), "feed")
    await price(floor)
    assert (shown(floor).code, script.seen_s) == ("no_price", [])
    await tell(floor, FeedState("binance", Link.RESUMED, 0.0), "feed")
    await price(floor)
    assert len(script.seen_s) == 1


async def test_a_step_of_the_clock_makes_the_price_unknown(
    floor: Floor, autojump_clock: MockClock
) -> None:
    script = Script()
    await start(floor, script, evaluate_s=10.0)
    await price(floor)
    await tell(floor, ClockStepped(99, 0.0, "suspend"), "clock")
    await trio.sleep(11)
    assert (shown(floor).code, len(script.seen_s)) == ("no_price", 1)


async def test_a_pause_that_is_told_stops_a_bot_and_outlives_it(
    floor: Floor, autojump_clock: MockClock
) -> None:
    script = Script(BUY)
    first = await start(floor, script)
    await floor.record(BotPaused("dawn", "main", "lunch"))
    await price(floor)
    first.cancel()
    await wait_all_tasks_blocked()
    await start(floor, script)
    await price(floor)
    assert (script.seen_s, shown(floor).reasons) == ([], ("lunch",))


async def test_the_next_life_knows_the_position_and_uses_new_intent_ids(
    floor: Floor, autojump_clock: MockClock
) -> None:
    script = Script(BUY)
    first = await start(floor, script)
    await price(floor)
    first.cancel()
    await wait_all_tasks_blocked()
    await floor.record(*HELD)
    await start(floor, script)
    await price(floor)
    script.says = SELL
    await trio.sleep(20)
    await price(floor)
    ids = [wish.intent_id for wish in floor.taken(floor.risk)]
    assert (ids, script.built) == (["e/r/dawn/1/1", "e/r/dawn/2/1"], 2)
    assert [wish.position_id for wish in floor.taken(floor.orders)] == ["c1"]


async def test_a_strategy_that_raises_ends_this_life(
    floor: Floor, autojump_clock: MockClock
) -> None:
    script = Script(KeyError("slow"))
    floor.bot.latest("ticker", ticker("50000", trio.current_time()))
    with pytest.raises(KeyError, match="slow"):
        await body(floor, script)()


async def test_a_silent_journal_stops_entries_and_not_the_evaluating(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """I-11; orders would refuse them too, but nothing should be begun at all."""
    script = Script()
    await start(floor, script)
    await price(floor)
    floor.journal_scope.cancel()
    script.says = Signal(HOLD.type, 0.0, 1.0, ("something else",))
    await price(floor)  # the bot learns of the silence
    await trio.sleep(1.5)
    script.says = BUY
    await price(floor)
    assert (floor.taken(floor.risk), shown(floor).code) == ([], "journal_down")
    assert len(script.seen_s) == 3


async def test_candles_wake_a_bot_by_candles_only_when_closed(
    floor: Floor, autojump_clock: MockClock
) -> None:
    script = Script()
    await start(floor, script, evaluate_s="candle")
    await price(floor)
    await tell(floor, Candles("binance", SYMBOL, "1m", (), ()), "candles")
    assert script.seen_s == []


async def test_a_flood_of_prices_costs_one_evaluation(
    floor: Floor, autojump_clock: MockClock
) -> None:
    script = Script()
    await start(floor, script)
    for n in range(1_000):
        floor.bot.latest("ticker", ticker(str(50_000 + n), trio.current_time()))
    await wait_all_tasks_blocked()
    assert (len(script.seen_s), shown(floor).price, floor.bot.replaced) == (1, 50_999, 999)


async def test_prices_are_sampled_into_the_ledger(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor, Script(), price_every_s=10.0)
    for _ in range(25):
        await price(floor)
        await trio.sleep(1)
    assert len(await floor.recorded(PriceUpdated)) == 3


async def test_a_bot_wants_at_each_exchange_what_it_reads_there(floor: Floor) -> None:
    script, there = Script(candles_min=3), list[Wanted]()
    reads = (Pair("kraken", "BTC/USD"), Pair("binance", "ETH/USDT"))
    run = partial(
        body(floor, script, reads=reads, has_book=True),
        want={"binance": floor.wanted.append, "kraken": there.append},
    )
    await floor.start(floor.bot, run)
    found = [
        {(each.symbol, each.channel) for each in wanted.subscriptions}
        for wanted in (*floor.wanted, *there)
    ]
    both = (Channel.TICKER, Channel.CANDLES, Channel.BOOK)
    assert found == [
        {(symbol, each) for symbol in (SYMBOL, "ETH/USDT") for each in both},
        {("BTC/USD", each) for each in both},
    ]
