"""The whole fleet on the world of tests/simulation, steered by a test's own script.

Supervisor, actors, codecs, trio-websocket, the httpx2 pool and the exchange's matching
engine are real; network, disk and time are simulated. After the script the run settles, and
every invariant that a seed's run is judged by is judged here, too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from unittest import mock

import trio

from actors.messages import Attempted, Fact, OrderStatus, Side
from actors.messages.board import Asked
from actors.pure.facts import decode
from actors.pure.matching_orders import Kind, Lasting, NewOrder, Order, Step
from actors.pure.order_sheet import Orders
from adapters.simulator.exchange import Exchange
from tests.simulation.assassin import Assassin
from tests.simulation.desk import SimDesk
from tests.simulation.process import Process
from tests.simulation.schedule import Schedule
from tests.simulation.seeding import run_seeded
from tests.simulation.simulation import Outcome, Simulation

Answer = Mapping[str, Any]
Ask = Callable[[Asked], Awaitable[Answer]]
ACCOUNT = "main"
SELLER = "somebody else"

HEAD = """
mode = "live"
state = "unused"

[exchanges.binance]
reconnect = { attempts = 5, initial_s = 0.5, max_s = 4, multiplier = 2, jitter = 0.1 }
connect_s = 5

[accounts.main]
exchange = "binance"
key = "env:KEY"
secret = "env:SECRET"

[journal]
price_every_s = 600
"""


def bot(
    name: str,
    symbol: str,
    *,
    order: str = "market",
    offset_percent: str = "0",
    evaluate_s: int = 5,
) -> str:
    """Return the table of a bot that buys and sells in turn."""
    offset = f"limit_offset_percent = {offset_percent}" if order == "limit" else ""
    return f"""
[[bots]]
name = "{name}"
account = "main"
symbol = "{symbol}"
strategy = "churn:Churn"
capital = 10_000
position_percent = 10
order = "{order}"
{offset}
stop_loss_percent = 20
evaluate_s = {evaluate_s}
check_s = 5
"""


class AskedDesk(SimDesk):
    """Lets a test be the operator: the newest board's own answers."""

    newest: Ask | None = None

    async def serve(self, ask: Ask) -> None:
        AskedDesk.newest = ask
        await super().serve(ask)


class Steered(Simulation):
    """One run that a test steers; made inside Trio."""

    def __init__(
        self,
        schedule: Schedule,
        watcher: Assassin,
        script: Callable[[Steered], Awaitable[None]],
    ) -> None:
        super().__init__(schedule, watcher, keeps_all=False)
        self.script = script
        self.on_order: Callable[[str], None] = lambda _order_id: None  # it leaves now
        self.machine.order_left = self._order_left

    async def _follow_schedule(self) -> None:
        self.is_calm = False  # the script has its own trouble, and says when it is over
        await self.script(self)
        self.chaos.clear()
        self.is_calm = True

    def _order_left(self) -> None:
        self.watcher.order_left()
        self.on_order(next(reversed(self.machine.sent)))

    @property
    def exchange(self) -> Exchange:
        return self.simulator.exchange

    @property
    def life(self) -> Process:
        assert self.process is not None
        return self.process

    async def ask(self, verb: str, subject: str = "", **more: Any) -> Answer:
        """Return what the running fleet answers to an operator."""
        assert AskedDesk.newest is not None
        return await AskedDesk.newest(Asked(verb, subject, by="tester", **more))

    def facts(self) -> Sequence[Fact]:
        """Return all that the ledger says."""
        rows = self.disk.rows[: self.disk.visible]
        return [decode(each.row.kind, each.row.body) for each in rows]

    def orders(self) -> Orders:
        """Return the orders as the ledger's facts make them."""
        orders = Orders()
        for fact in self.facts():
            orders.apply(fact)
        return orders

    def attempts(self, name: str) -> list[str]:
        """Return the client order ids of one bot's attempts, oldest first."""
        return [
            fact.client_order_id
            for fact in self.facts()
            if isinstance(fact, Attempted) and fact.bot == name
        ]

    def is_entry(self, order_id: str) -> bool:
        order = self.orders().get(order_id)
        return order is not None and order.is_entry

    def at_exchange(self, order_id: str) -> Order | None:
        """Return what the exchange has under a client order id."""
        found = self.exchange.engine.by_client.get((ACCOUNT, order_id))
        return found[-1] if found else None

    def sell_into(self, order: Order, base: Decimal) -> None:
        """Let somebody else sell so much that `order` is filled by `base` more."""
        exchange = self.exchange
        book = exchange.engine.books[order.symbol]
        ahead, _ = book.fillable(Side.SELL, order.price, Decimal("1e9"))
        asset = exchange.engine.pairs[order.symbol].base_asset
        exchange.engine.deposit(SELLER, asset, ahead + base)
        new = NewOrder(
            SELLER,
            f"sell-{order.order_id}-{order.filled_base}",
            order.symbol,
            Side.SELL,
            Kind.LIMIT,
            ahead - order.remaining + base,
            order.price,
            lasting=Lasting.IOC,
        )
        assert isinstance(exchange.place(new), Order)
        self.simulator.dialect.flush()

    def expire(self, order: Order) -> None:
        """Let the exchange end an open order by itself."""
        engine: Any = self.exchange.engine
        engine.books[order.symbol].reduce(order, order.remaining)
        engine._end(order, Step.EXPIRED, OrderStatus.EXPIRED, self.exchange.now_ms())
        self.simulator.dialect.flush()

    async def wait_until(self, is_so: Callable[[], bool], *, within_s: float) -> None:
        """Look twice a second, in a time that takes none."""
        with trio.fail_after(within_s):
            await trio.lowlevel.checkpoint()
            while not is_so():  # noqa: ASYNC110 -- a test looks at everything from outside
                await trio.sleep(0.5)


def steer(
    config: str, script: Callable[[Steered], Awaitable[None]], *, seed: int = 1
) -> Outcome:
    """Run a fleet of `config` under `script`, settle, and judge the run."""
    watcher = Assassin()
    schedule = Schedule(seed, HEAD + config, (), 0.0, 0, 0.0)

    async def main() -> Outcome:
        return await Steered(schedule, watcher, script).run()

    with mock.patch("tests.simulation.process.SimDesk", AskedDesk):
        return run_seeded(main, seed, [watcher])
