"""A recorded session through simulator, socket, codec and feed to its readers, counted."""

from __future__ import annotations

import gzip
import random
from collections import Counter
from collections.abc import Callable, Hashable
from copy import deepcopy
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
import trio

from actors.demand import Demand
from actors.fan_out import FanOut
from actors.feed import FeedSettings, run_feed
from actors.journal import run_journal
from actors.mailbox import Mailbox
from actors.messages import (
    Candles,
    Channel,
    FeedState,
    Link,
    Subscription,
    Trades,
    Wanted,
)
from actors.outlets import Outlets
from actors.pure.book import Book
from adapters.binance.open import open_binance
from adapters.clock import SystemClock
from adapters.endpoints import Endpoints
from adapters.simulator.config import SimulatorConfig
from adapters.simulator.server import Simulator
from adapters.sqlite.inline import InlineStore

FILE = (
    Path(__file__).parents[3]
    / "shared/captures/hftbacktest/binance_spot_btcusdt_20240808.jsonl.gz"
)
SYMBOL = "BTC/USDT"
CHANNELS = {
    "ticker": Subscription(SYMBOL, Channel.TICKER),
    "book_top": Subscription(SYMBOL, Channel.BOOK_TOP),
    "trades": Subscription(SYMBOL, Channel.TRADES),
    "candles": Subscription(SYMBOL, Channel.CANDLES, "1m"),
    "book": Subscription(SYMBOL, Channel.BOOK),
}

pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="needs ../shared/captures beside the checkout"
)


class CountedMailbox(Mailbox[Any]):
    """Counts what the feed says of itself apart from its data."""

    states_posted = 0
    states_replaced = 0

    def latest(
        self, key: Hashable, message: Any, merge: Callable[[Any, Any], Any] | None = None
    ) -> None:
        before = self.replaced
        super().latest(key, message, merge)
        if isinstance(message, FeedState):
            self.states_posted += 1
            self.states_replaced += self.replaced - before


@attrs.define
class Read:
    """What one reader of one channel was given."""

    mailbox: CountedMailbox
    delivered: int = 0
    trade_ids: list[int] = attrs.Factory(list[int])
    closed_ms: list[int] = attrs.Factory(list[int])
    links: list[Link] = attrs.Factory(list[Link])

    async def run(self) -> None:
        """Take everything; now and then be slow, so that something is replaced."""
        while True:
            message = await self.mailbox.receive()
            if isinstance(message, FeedState):
                self.links.append(message.link)
                continue
            self.delivered += 1
            if isinstance(message, Trades):
                self.trade_ids += [trade.trade_id for trade in message.trades]
            if isinstance(message, Candles):
                self.closed_ms += [candle.open_ms for candle in message.closed]
            if self.delivered % 50 == 0:
                await trio.sleep(0.005)


def recorded() -> tuple[Counter[str], list[int]]:
    """Return the frames of each recorded stream, and the ids of its trades."""
    counts: Counter[str] = Counter()
    trade_ids: list[int] = []
    with gzip.open(FILE, "rt") as lines:
        for line in lines:
            raw = msgspec.json.decode(msgspec.json.decode(line)["raw"])
            if "stream" in raw:
                counts[raw["stream"].partition("@")[2]] += 1
                if raw["data"].get("e") == "trade":
                    trade_ids.append(raw["data"]["t"])
    return counts, trade_ids


@attrs.define
class Stage:
    """A feed and its readers, one for each channel."""

    reads: dict[str, Read]
    fan_out: FanOut
    feed: Mailbox[Any] = attrs.Factory(lambda: Mailbox[Any]("feed:binance"))
    book: Book | None = None  # as it was before the feed ended

    @classmethod
    def open(cls) -> Stage:
        reads = {name: Read(CountedMailbox(name)) for name in CHANNELS}
        outlets = {name: read.mailbox for name, read in reads.items()}
        return cls(reads, FanOut("binance", outlets))

    async def play(self, simulator: Simulator, store: InlineStore) -> None:
        """Play the recording to its end."""
        journal = Mailbox[Any]("journal")
        demand = Demand("binance", [self.feed])
        for name, subscription in CHANNELS.items():
            demand.want(Wanted(name, frozenset({subscription}), 3))
        async with trio.open_nursery() as nursery:
            where = await nursery.start(simulator.run)
            endpoints = Endpoints(where.url, where.ws_api_url, where.rest_url)
            clock = SystemClock()
            await nursery.start(
                partial(run_journal, journal, store, Outlets(), clock=clock)
            )
            async with (
                open_binance(endpoints, clock=clock, allow_foreign_host=True) as binance,
                trio.open_nursery() as readers,
            ):
                await readers.start(
                    partial(
                        run_feed,
                        self.feed,
                        binance.market,
                        journal,
                        self.fan_out,
                        demand,
                        settings=FeedSettings("binance"),
                        random=random.Random(1),
                    )
                )
                for read in self.reads.values():
                    readers.start_soon(read.run)
                await simulator.replay_over.wait()
                await trio.sleep(1)
                self.book = deepcopy(self.fan_out.books[SYMBOL])
                nursery.cancel_scope.cancel()


async def test_every_recorded_datum_is_delivered_merged_or_replaced(tmp_path: Path) -> None:
    counts, trade_ids = recorded()
    stage = Stage.open()
    config = SimulatorConfig(replay=(FILE,), replay_speed=0)

    with trio.fail_after(240):
        await stage.play(Simulator(config, seed=1), InlineStore(tmp_path / "ledger.db"))

    reads, fan_out = stage.reads, stage.fan_out
    for name, read in reads.items():
        box, route = read.mailbox, fan_out.routes[CHANNELS[name]]
        replaced = box.replaced - box.states_replaced
        posted = box.received_latest - box.states_posted
        left = box.latest_waiting(route.key) is not None  # as the feed ended
        assert posted == read.delivered + box.merged + replaced + left, name
        if name not in {"candles", "book"}:  # REST adds to these
            assert route.received == posted, name
        assert read.links[-1] is Link.RESUMED, name
    assert fan_out.routes[CHANNELS["book_top"]].received == counts["bookTicker"]
    assert fan_out.routes[CHANNELS["book"]].received >= counts["depth@100ms"]
    assert reads["trades"].trade_ids == trade_ids
    closed = reads["candles"].closed_ms
    assert closed == sorted(set(closed))
    assert len(closed) >= 4
    assert all(b - a == 60_000 for a, b in pairwise(closed))
    book = stage.book
    assert book is not None
    assert book.is_bridged
    assert book.gaps == 0
    assert book.bids.prices[-1] < book.asks.prices[0]
    assert book.best(1, 0.0).bids[0][0] > Decimal(50_000)
