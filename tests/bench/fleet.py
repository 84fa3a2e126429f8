"""The real fleet in a process of its own, run as `shoal run` runs it, and watched.

    python -m tests.bench.fleet SPEC

Prints what it noted as one JSON object. The fleet's own log goes to the null device, its
ledger into a temporary folder. Nothing in the production code knows of this.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs

from actors import fleet_run
from actors.fleet_run import RunOptions, run_fleet
from actors.fleet_stage import Stage
from actors.fleet_world import World
from actors.mailbox import Mailbox
from actors.pure.config import Config, load
from actors.pure.market_view import Strategy
from adapters import websocket_busy
from tests.bench.exchange import KEY, SECRET, symbol
from tests.bench.marks import Flow, Look, MarkedMailbox, MarkedStore, MarkedTrading, Marks
from tests.memory import resident

SAMPLE_S = 0.2


@attrs.frozen
class Spec:
    """One fleet, and what is to be noted of it."""

    where: Mapping[str, Any]  # the exchange's endpoints
    seconds: float
    bots: int = 1
    symbols: int = 1
    strategy: Literal["flow", "look", "ema_cross"] = "look"
    evaluate: str = '"tick"'
    has_socket: bool = True  # else orders go by REST
    is_marked: bool = True  # else only the counters are read
    is_counted: bool = True  # else only the process
    is_thinned: bool = True  # newest prices only, where many wait to be decoded


def written(spec: Spec, state: Path) -> str:
    """Return the bots.toml of this fleet."""
    where = spec.where
    bots = [
        f"""
[[bots]]
name = "b{number:05d}"
account = "main"
symbol = "{symbol(number % spec.symbols)}"
strategy = "ema_cross"
params = {{ fast = 12, slow = 26 }}
timeframe = "1m"
capital = 10_000
position_percent = 10
stop_loss_percent = 20
evaluate_s = {spec.evaluate}
"""
        for number in range(spec.bots)
    ]
    return f"""
mode = "live"
state = "{state}"

[exchanges.binance]
url = "{where["url"]}"
rest_url = "{where["rest_url"]}"
ws_api_url = "{where["ws_api_url"]}"
send_keys_to_this_host = true

[accounts.main]
exchange = "binance"
key = "env:SHOAL_BENCH_KEY"
secret = "env:SHOAL_BENCH_SECRET"
risk.orders_per_minute_max = 10_000
risk.daily_turnover_quote_max = 1_000_000_000
risk.daily_fees_quote_max = 1_000_000_000
{"".join(bots)}"""


def run(spec: Spec) -> dict[str, Any]:
    """Run the fleet of `spec` and return what was noted."""
    os.environ |= {"SHOAL_BENCH_KEY": KEY, "SHOAL_BENCH_SECRET": SECRET}
    watch = _Watch(spec)
    with tempfile.TemporaryDirectory() as folder:
        config = load(written(spec, Path(folder) / "var"), "bench.toml")
        if not isinstance(config, Config):
            raise SystemExit(str(config))
        if not spec.is_thinned:
            _decode_all()
        fleet_run.open_world = watch.opening_world(fleet_run.open_world)
        fleet_run.open_stage = watch.opening_stage(fleet_run.open_stage)
        out, sys.stdout = sys.stdout, Path(os.devnull).open("w")  # noqa: SIM115 -- for good
        code = run_fleet(config, RunOptions(for_s=spec.seconds))
        sys.stdout = out
    if code:
        raise SystemExit(f"the fleet ended with {code}")
    return watch.noted()


def _decode_all() -> None:
    """Let market data be read without leaving out what newer prices replace."""
    opened = websocket_busy.open_busy_websocket

    def whole(url: str, *, newest_of: object, **how: Any) -> Any:
        del newest_of
        return opened(url, **how)

    websocket_busy.open_busy_websocket = whole


class _Watch:
    """Wraps what the stage is given, and reads its counters now and then."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.marks = MarkedMailbox.marks = Marks()
        self.samples: list[dict[str, float]] = []
        self.stage: Stage | None = None

    def noted(self) -> dict[str, Any]:
        self.samples.append(self._sample())
        return {
            "ticks": self.marks.ticks,
            "orders": self.marks.orders,
            "samples": self.samples,
        }

    def opening_stage(self, open_stage: Callable[[Config], Stage]) -> Any:
        def opened(config: Config) -> Stage:
            stage = open_stage(config)
            if self.spec.is_marked:
                for mailbox in stage.mailboxes.values():
                    mailbox.__class__ = MarkedMailbox
            self.stage = stage
            threading.Thread(target=self._count, daemon=True).start()
            return stage

        return opened

    def opening_world(self, open_world: Callable[..., Any]) -> Any:
        async def opened(*args: Any, **named: Any) -> World:
            world: World = await open_world(*args, **named)
            for venue in world.venues.values():
                venue.trading = self._trading(venue.trading)
            changes: dict[str, Any] = {}
            if self.spec.strategy != "ema_cross":
                changes["strategies"] = self._strategies(sorted(world.strategies))
            if self.spec.is_marked:
                changes["store"] = MarkedStore(world.store, self.marks)
            return attrs.evolve(world, **changes)

        return opened

    def _trading(self, inner: Callable[[str], Any]) -> Callable[[str], Any]:
        def marked(account: str) -> Any:
            trading = inner(account)
            return MarkedTrading(trading, self.marks, has_socket=self.spec.has_socket)

        return marked

    def _strategies(self, names: Sequence[str]) -> dict[str, Callable[[], Strategy]]:
        return {name: self._strategy(number, name) for number, name in enumerate(names)}

    def _strategy(self, number: int, name: str) -> Callable[[], Strategy]:
        if self.spec.strategy == "flow":
            return lambda: Flow(self.marks, f"bot:{name}", -number)
        return lambda: Look(self.marks, f"bot:{name}")

    def _count(self) -> None:
        """Read the counters from another thread: the fleet does nothing for it."""
        while True:
            self.samples.append(self._sample())
            time.sleep(SAMPLE_S)

    def _sample(self) -> dict[str, float]:
        stage = self.stage
        assert stage is not None
        boxes = stage.mailboxes
        sample: dict[str, float] = {
            "at_s": time.monotonic(),
            "cpu_s": time.process_time(),
            "rss": resident(),
            "frames": boxes["feed:binance"].completed,
            "readers": len(stage.demands["binance"].current()),
        }
        if self.spec.is_counted:
            bots = [box for name, box in boxes.items() if name.startswith("bot:")]
            sample |= _counted("bots", bots)
            sample |= _counted("others", [box for box in boxes.values() if box not in bots])
        return sample


def _counted(who: str, boxes: Sequence[Mailbox[Any]]) -> dict[str, float]:
    return {
        f"{who}_received": sum(box.received_latest for box in boxes),
        f"{who}_taken": sum(box.taken for box in boxes),
        f"{who}_replaced": sum(box.replaced for box in boxes),
        f"{who}_merged": sum(box.merged for box in boxes),
        f"{who}_waiting": sum(box.depth for box in boxes),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(Spec(**json.loads(sys.argv[1])))))
