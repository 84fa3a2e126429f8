"""What queries see of orders while the exchange's store lags behind, in every dialect."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs
import httpx
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import OrderStatus, Side
from actors.pure.matching import Engine
from actors.pure.matching_orders import MAKERS, Fees, Kind, NewOrder, Order, Pair
from adapters.simulator.faults import Fault, Faults
from adapters.simulator.order_store import FILLS, ORDERS, AccountFill, OrderStore
from tests.adapters import coinbase_desk, kraken_simulator_desk, simulator_desk
from tests.adapters.simulator_desk import in_thread

STEP_MS = 100
PAIR = Pair("BTCUSDT", "BTC", "USDT", Decimal("0.1"))
LATE = 60.0  # seconds, longer than any test
OPEN = {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED}
View = tuple[int, OrderStatus, Decimal, Decimal, int]


@attrs.define
class Venue:
    """An engine, a clock by hand, and what its orders looked like after each step."""

    engine: Engine = attrs.Factory(lambda: Engine([PAIR], Fees()))
    faults: Faults = attrs.Factory(Faults)
    fills: dict[tuple[str, str], list[AccountFill]] = attrs.Factory(
        dict[tuple[str, str], list[AccountFill]]
    )
    now_ms: int = 0
    views: list[list[View]] = attrs.Factory(list[list[View]])

    def __attrs_post_init__(self) -> None:
        for asset in ("BTC", "USDT"):
            self.engine.deposit("ann", asset, Decimal(1_000_000))
        self.engine.tell_last(PAIR.symbol, Decimal(100), 0)

    @property
    def store(self) -> OrderStore:
        return OrderStore(self.engine, self.fills, self.faults, lambda: self.now_ms)

    def step(self, act: NewOrder | int) -> None:
        """Place an order, or cancel the so-manieth that is open; then look around."""
        self.now_ms += STEP_MS
        if isinstance(act, NewOrder):
            self.engine.place(act, self.now_ms)
        elif found := self.engine.open_orders("ann"):
            self.engine.cancel(found[act % len(found)], self.now_ms)
        for report in self.engine.drain().reports:
            if report.fill is not None:
                fill = AccountFill(report.order, report.fill)
                self.fills.setdefault(("ann", PAIR.symbol), []).append(fill)
        self.views.append([view(order) for order in self.engine.orders.values()])


def view(order: Order) -> View:
    filled = order.filled_base, order.filled_quote
    return (order.order_id, order.status, *filled, len(order.fills))


def new(number: int, account: str, side: Side, kind: Kind, lots: int, price: int) -> Any:
    is_stop = kind is Kind.STOP_LOSS_LIMIT
    stop_price = Decimal(price) if is_stop else Decimal(0)
    limit = Decimal(0) if kind is Kind.MARKET else Decimal(price)
    base = Decimal(lots) / 10
    name = f"c{number}"
    return NewOrder(account, name, PAIR.symbol, side, kind, base, limit, stop_price)


acts = st.one_of(
    st.builds(
        new,
        number=st.integers(0, 99),
        account=st.sampled_from([MAKERS, "ann", "ann"]),
        side=st.sampled_from(Side),
        kind=st.sampled_from([Kind.LIMIT, Kind.LIMIT, Kind.MARKET, Kind.STOP_LOSS_LIMIT]),
        lots=st.integers(1, 30),
        price=st.integers(97, 103),
    ),
    st.integers(0, 5),
)


@given(st.lists(acts, min_size=1, max_size=25))
def test_a_store_that_lags_has_each_order_as_it_was_then(
    steps: Sequence[NewOrder | int],
) -> None:
    venue = Venue()
    for act in steps:
        venue.step(act)

    seen: list[list[View]] = []
    resting: list[list[View]] = []
    for number in range(len(steps)):
        lag_s = (venue.now_ms - (number + 1) * STEP_MS) / 1000
        active = venue.faults.begin(Fault(ORDERS, delay_s=lag_s), 0)
        seen.append([view(order) for order in venue.store.orders("ann")])
        resting.append([view(order) for order in venue.store.open_orders("ann")])
        venue.faults.end(active)

    assert seen == venue.views
    assert resting == [[it for it in views if it[1] in OPEN] for views in venue.views]


@given(st.lists(acts, min_size=1, max_size=25), st.integers(0, 2500))
def test_executions_end_at_the_same_moment_as_what_they_filled(
    steps: Sequence[NewOrder | int], lag_ms: int
) -> None:
    venue = Venue()
    for act in steps:
        venue.step(act)

    for kind in (ORDERS, FILLS):
        venue.faults.begin(Fault(kind, delay_s=lag_ms / 1000), -10_000)
    booked: dict[int, Decimal] = {}
    for it in venue.store.fills("ann"):
        base = booked.get(it.order.order_id, Decimal(0)) + it.fill.trade.base
        booked[it.order.order_id] = base

    filled = {it.order_id: it.filled_base for it in venue.store.orders("ann") if it.fills}
    assert filled == booked


def test_what_the_store_had_when_the_lag_began_it_keeps() -> None:
    venue = Venue()
    venue.step(new(1, "ann", Side.BUY, Kind.LIMIT, 1, 97))
    venue.faults.begin(Fault(ORDERS, delay_s=LATE), venue.now_ms)
    venue.step(new(2, "ann", Side.BUY, Kind.LIMIT, 1, 97))

    seen = [order.client_order_id for order in venue.store.open_orders("ann")]

    assert seen == ["c1"]
    assert venue.faults.struck == {ORDERS: 1}


@attrs.frozen
class Asked:
    """What one client was told by each of its dialect's queries, and by its balance."""

    found: int  # orders, by all queries together
    executions: int
    base: Decimal  # held


def begin(url: str, kind: str) -> None:
    fault = {"kind": kind, "delay_s": LATE, "duration_s": LATE}
    httpx.post(f"{url}/simulator/faults", json=fault, verify=False).raise_for_status()  # noqa: S501 -- loopback


def binance(simulator: Any, kind: str) -> Asked:
    client = simulator_desk.Rest(simulator.endpoints)
    begin(simulator.endpoints.rest_url, kind)
    client.market("mine")
    client.buy_limit("rests", 50_000)

    def told(path: str, **more: Any) -> Any:
        return client.signed("GET", f"/api/v3/{path}", **more).json()

    pair = {"symbol": "BTCUSDT"}
    by_id = told("order", **pair, origClientOrderId="mine")
    every = told("allOrders", **pair)
    resting = told("openOrders")
    held = {it["asset"]: Decimal(it["free"]) for it in told("account")["balances"]}
    found = ("orderId" in by_id) + len(every) + len(resting)
    return Asked(found, len(told("myTrades", **pair)), held["BTC"])


def kraken(simulator: Any, kind: str) -> Asked:
    client = kraken_simulator_desk.Rest(simulator.endpoints)
    begin(simulator.endpoints.rest_url, kind)
    txid = client.buy(None)["result"]["txid"][0]
    other = client.buy()["result"]["txid"][0]
    by_id = client.result("QueryOrders", txid=f"{txid},{other}")
    resting = client.result("OpenOrders")["open"]
    ended = client.result("ClosedOrders")["closed"]
    trades = client.result("TradesHistory")["trades"]
    base = Decimal(client.result("Balance")["XXBT"])
    return Asked(len(by_id) + len(resting) + len(ended), len(trades), base)


def coinbase(endpoints: Any, kind: str) -> Asked:
    client = coinbase_desk.Exchange(endpoints)
    begin(endpoints.rest_url, kind)
    order_id = client.place(type="market", size="0.01").json()["id"]
    client.limit()
    by_id = client.orders(f"/{order_id}")
    every = client.orders("?status=all")
    resting = client.orders()
    fills = client.signed("GET", "/fills?product_id=BTC-USD").json()
    accounts = client.signed("GET", "/accounts").json()
    held = {row["currency"]: Decimal(row["balance"]) for row in accounts}
    found = ("id" in by_id) + len(every) + len(resting)
    return Asked(found, len(fills), held["BTC"])


def advanced(endpoints: Any, kind: str) -> Asked:
    client = coinbase_desk.Advanced(endpoints)
    begin(endpoints.rest_url, kind)
    size = {"market_market_ioc": {"base_size": "0.01"}}
    placed = client.place("mine", size)["success_response"]["order_id"]
    client.limit("rests")
    by_id = client.get(f"/orders/historical/{placed}")
    every = client.get("/orders/historical/batch")["orders"]
    resting = client.get("/orders/historical/batch?order_status=OPEN")["orders"]
    fills = client.get("/orders/historical/fills")["fills"]
    held = {
        row["currency"]: Decimal(row["available_balance"]["value"])
        for row in client.get("/accounts")["accounts"]
    }
    found = ("order" in by_id) + len(every) + len(resting)
    return Asked(found, len(fills), held["BTC"])


BINANCE = attrs.evolve(simulator_desk.CONFIG, listings=(kraken_simulator_desk.STILL,))
COINBASE = attrs.evolve(coinbase_desk.CONFIG, listings=(coinbase_desk.STILL,))


@pytest.mark.parametrize(
    ("start", "config", "ask", "base"),
    [
        (simulator_desk.start, BINANCE, binance, "2.00999"),
        (simulator_desk.start, kraken_simulator_desk.QUIET, kraken, "2.01"),
        (coinbase_desk.start, COINBASE, coinbase, "2.01"),
        (coinbase_desk.start, COINBASE, advanced, "2.01"),
    ],
    ids=["binance", "kraken", "coinbase", "advanced"],
)
@pytest.mark.parametrize(
    ("kind", "found", "executions"), [(ORDERS, 0, 1), (FILLS, 4, 0), ("silence", 4, 1)]
)
async def test_queries_lag_and_the_balance_does_not(
    nursery: trio.Nursery,
    start: Any,
    config: Any,
    ask: Any,
    base: str,
    kind: str,
    found: int,
    executions: int,
) -> None:
    venue = await start(nursery, config)

    asked = await in_thread(lambda: ask(venue, kind))

    assert asked == Asked(found, executions, Decimal(base))
