"""The real fleet in mock time, on an exchange in memory that fills every order at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import attrs
import trio

from actors.errors import Escalated
from actors.fleet import Fleet
from actors.fleet_scribe import Scribe
from actors.fleet_stage import open_stage
from actors.fleet_world import Venue, World
from actors.messages import (
    Fact,
    OrderRequest,
    OrderStatus,
    Side,
    Signal,
    SignalType,
    VenueBalance,
    VenueFill,
    VenueOrder,
)
from actors.messages.supervision import ActorState, Event, Transition
from actors.ports import Desk
from actors.ports_store import Query
from actors.pure.client_order_id import account_tag, epoch_text
from actors.pure.config import Problems, load
from actors.pure.facts import KINDS, decode
from actors.pure.market_view import MarketView
from adapters.sqlite.inline import InlineStore
from tests.actors.emergency import InlineFile, Room
from tests.actors.ledger_room import RunClock
from tests.actors.scripted_venue import Answer, Middle, ScriptedMarket, ScriptedTrading
from tests.words import SYMBOL, ticker

START = Decimal(50_000)
TICK_S = 1.0
PHASE_S = 0.3  # apart from those who look once a second: what comes first is never chance
CONFIG = """
mode = "sim"
[exchanges.binance]
[accounts.main]
exchange = "binance"
[[bots]]
name = "dawn"
account = "main"
symbol = "BTC/USDT"
strategy = "mine:Once"
capital = 10_000
position_percent = 10
stop_loss_percent = 5
evaluate_s = "tick"
[[bots]]
name = "dusk"
account = "main"
symbol = "BTC/USDT"
strategy = "mine:Hold"
capital = 10_000
position_percent = 10
evaluate_s = "tick"
"""


class Once:
    """Buy once, and hold."""

    candles_min = 0

    def evaluate(self, view: MarketView) -> Signal:
        kind = SignalType.BUY if view.position is None else SignalType.HOLD
        return Signal(kind, 1.0, 1.0, ("once",))


class Hold:
    candles_min = 0

    def evaluate(self, view: MarketView) -> Signal:
        return Signal(SignalType.HOLD, 0.0, 1.0, ("always",))


class Exchange(ScriptedTrading):
    """Fills what is for the moment, at its price, and tells it; holds stops for ever."""

    price: Decimal = START

    async def place(self, request: OrderRequest) -> Answer:
        answer = await super().place(request)
        if request.stop_price is not None:
            self._hold(request)
            return answer
        order_id, now_ms = request.client_order_id, self.now_ms()
        fill = VenueFill(
            "binance",
            SYMBOL,
            order_id,
            f"v-{order_id[-4:]}",
            f"t{len(self.executed)}",
            request.side,
            self.price,
            request.base,
            Decimal(0),
            "USDT",
            is_maker=False,
            trade_ms=now_ms,
        )
        order = VenueOrder(
            "binance",
            SYMBOL,
            order_id,
            fill.venue_order_id,
            request.side,
            "MARKET",
            OrderStatus.FILLED,
            request.base,
            request.base,
            limit_price=None,
            stop_price=None,
            update_ms=now_ms,
        )
        self.executed.append(fill)
        self.orders[order_id] = order
        self.past.append(order)
        held = sum(
            (each.base if each.side is Side.BUY else -each.base for each in self.executed),
            Decimal(0),
        )
        self.held = [
            VenueBalance("BTC", held, Decimal(0)),
            VenueBalance("USDT", Decimal(100_000) - held * START, Decimal(0)),
        ]
        self.stream.tell(fill, order)
        return answer

    def _hold(self, stop: OrderRequest) -> None:
        order_id = stop.client_order_id
        self.orders[order_id] = VenueOrder(
            "binance",
            SYMBOL,
            order_id,
            f"v-{order_id[-4:]}",
            stop.side,
            "STOP_LOSS_LIMIT",
            OrderStatus.OPEN,
            stop.base,
            Decimal(0),
            stop.limit_price,
            stop.stop_price,
            self.now_ms(),
        )


class Resting(Exchange):
    """An exchange where every order rests."""

    async def place(self, request: OrderRequest) -> Answer:
        return await ScriptedTrading.place(self, request)


class NoDesk(Desk):
    async def serve(self, ask: object) -> None:
        await trio.sleep_forever()


@attrs.define(eq=False)
class MockFleet:
    """One run of the fleet, and all that its supervisors said."""

    folder: Path
    victim: str = ""  # crashed at each readiness from `crash_from_s` on
    crash_from_s: float = 10.0
    config: str = CONFIG
    market: ScriptedMarket = attrs.Factory(ScriptedMarket)
    exchange: Exchange = attrs.Factory(Exchange)
    steps: list[Transition] = attrs.Factory(list[Transition])
    escalated: Escalated | None = None
    is_stopping: bool = False  # as after the first signal
    began_s: float = 0.0
    _fleet: Fleet | None = None
    _is_ready: trio.Event = attrs.Factory(trio.Event)
    _stores: list[InlineStore] = attrs.Factory(list[InlineStore])

    @property
    def fleet(self) -> Fleet:
        assert self._fleet is not None
        return self._fleet

    def now_s(self) -> float:
        return trio.current_time() - self.began_s

    def states(self) -> dict[str, ActorState]:
        return {actor.path: actor for actor in self.fleet.states()}

    def told_of(self, path: str, *events: Event) -> list[Transition]:
        return [step for step in self.steps if step.path == path and step.event in events]

    async def facts(self) -> Sequence[Fact]:
        _, rows = await self.fleet.world.store.read(Query(sorted(KINDS)))
        return [decode(row.kind, row.body) for row in rows]

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Run until cancelled, or until the fleet gives up."""
        self.began_s = trio.current_time()
        config = load(self.config, "bots.toml")
        assert not isinstance(config, Problems), str(config)
        stage = open_stage(config)
        scribe = Scribe(self._hear)
        store = self.open_store("ledger.db")
        self._fleet = Fleet(stage, self._world(store, scribe))
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(scribe.run, stage.mailboxes["journal"])
                nursery.start_soon(self._tick)
                nursery.start_soon(self._kill)
                await nursery.start(self.fleet.run)
                task_status.started()
        except* Escalated as errors:
            self.escalated = next(e for e in errors.exceptions if isinstance(e, Escalated))
        finally:
            with trio.CancelScope(shield=True):
                await trio.lowlevel.checkpoint()
                for store in self._stores:
                    await store.close()

    def open_store(self, name: str) -> InlineStore:
        """Open a ledger in the folder; it is closed when the run has ended."""
        store = InlineStore(self.folder / name)
        self._stores.append(store)
        return store

    def _world(self, store: InlineStore, scribe: Scribe) -> World:
        return World(
            execution="run-1",
            epoch=epoch_text(int(store.epoch, 16)),
            clock=RunClock(),
            random=Middle(),
            store=store,
            emergency={"main": InlineFile(self.folder / "emergency-main")},
            space=Room(),
            venues={"binance": Venue(self.market, lambda _: self.exchange)},
            desk=NoDesk(),
            tags={"main": account_tag("0123456789abcdef")},
            strategies={"dawn": Once, "dusk": Hold},
            digests={},
            say=lambda _: None,
            announce=lambda _at_ms, _fact: None,
            report=scribe.report,
            is_stopping=lambda: self.is_stopping,
        )

    async def _tick(self) -> None:
        """Tell the price once a second, to whoever is connected."""
        await trio.sleep(PHASE_S)
        while True:
            with suppress(IndexError):  # nobody is
                price = ticker(self.exchange.price, trio.current_time())
                self.market.stream.tell(price)
            await trio.sleep(TICK_S)

    def _hear(self, step: Transition) -> None:
        self.steps.append(step)
        if step.path == self.victim and step.event is Event.READY:
            self._is_ready.set()

    async def _kill(self) -> None:
        await trio.sleep(self.crash_from_s)
        while self.victim:
            await self._is_ready.wait()
            self._is_ready = trio.Event()
            self.fleet.crash(self.victim)
