"""Let one exchange after the other misbehave: the others' bots lose nothing.

A fleet of its own process trades at every exchange, each simulated here. One exchange at
a time falls silent, hangs, storms, refuses requests or talks garbage. Meanwhile a reader
beside each of the others hears what it says, and the bots there must have seen just that;
no actor of theirs may fail and no connection of theirs break. How soon the fleet asked for
prices over REST, and how soon the stream was back, is printed.

    just venues                        every exchange, every fault
    just venues --fault half_open      only this one
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from typing import Final

import attrs
import trio

from actors.fleet_venues import Opening, open_venue
from actors.messages import (
    Channel,
    ExchangeDisconnected,
    Fact,
    FallbackBegun,
    Subscription,
    Supervised,
    Ticker,
)
from actors.ports import Market, VenueError
from actors.pure.config import ExchangeConfig
from actors.pure.config_endpoints import ENDPOINTS
from actors.pure.money import ZERO
from adapters.control import FleetNotRunning, ask_fleet
from adapters.simulator.faults import Fault, Kind
from adapters.sqlite.ledger import Ledger
from adapters.state import newest_ledger
from tests.system.venues_fleet import SYMBOLS, Places, Seen, found_places, start_fleet

ALL: Final = tuple(ENDPOINTS)
FAULTS: Final[tuple[Kind, ...]] = (
    "silence",
    "half_open",
    "storm",
    "rate_limit",
    "garbage",
)
FAULT_S: Final = 5.0
START_S: Final = 60.0
RECOVERY_S: Final = 90.0  # at most, on a busy machine
MARGIN_MS: Final = 400  # at both ends of what is compared: prices on their way
LOOK_S: Final = 0.2


class Lost(Exception):
    """Bots at another exchange lost something, or this one does not recover."""


@attrs.frozen
class Heard:
    """What a bot at another exchange saw of the prices that there were."""

    told: int
    seen: int
    replaced: int  # by newer ones, in its mailbox or before they were decoded


@attrs.frozen
class Tally:
    """What one fault at one exchange did."""

    exchange: str
    fault: Kind
    noticed_s: float | None  # since it began; None: the stream did not break
    fallback_s: float | None  # since it began, until prices came by REST
    gap_s: float  # the longest time without a price by the stream
    back_s: float  # since it ended, until the stream brought a price
    others: dict[str, Heard]

    def line(self) -> str:
        """Return it in one line."""
        noticed = (
            "the stream held"
            if self.noticed_s is None
            else (f"broken after {self.noticed_s:.1f} s")
        )
        fallback = (
            "no fallback"
            if self.fallback_s is None
            else (f"over REST after {self.fallback_s:.1f} s")
        )
        others = " · ".join(
            f"{name} {heard.seen} of {heard.told} prices"
            + (f", {heard.replaced} replaced by newer" if heard.replaced else "")
            for name, heard in self.others.items()
        )
        return (
            f"{self.exchange:9}{self.fault:11}{noticed:19} · {fallback:22}"
            f" · {self.gap_s:4.1f} s without the stream, which was there"
            f" {self.back_s:4.1f} s after the end · {others}"
        )


@attrs.define(eq=False)
class Witness:
    """Reads one exchange beside the fleet, and begins again whenever it is cut off."""

    name: str
    market: Market
    heard: Seen = attrs.Factory(Seen)

    async def run(self) -> None:
        while True:
            try:
                await self._listen()
            except VenueError:
                await trio.sleep(LOOK_S)

    async def _listen(self) -> None:
        wanted = [Subscription(SYMBOLS[self.name], Channel.TICKER)]
        async with self.market.open_stream() as stream:
            await stream.subscribe(wanted)
            while True:
                for message in await stream.receive():
                    if isinstance(message, Ticker):
                        quoted = f"{message.last} {message.bid} {message.ask}"
                        self.heard[message.exchange_ms, quoted] += 1


@attrs.define(eq=False)
class Stage:
    """The exchanges, the fleet and the readers beside it."""

    places: Places
    process: subprocess.Popen[bytes]
    witnesses: dict[str, Witness]

    async def strike(self, exchange: str, kind: Kind) -> Tally:
        """Let one thing go wrong at one exchange; return when all is well again.

        Raises:
          Lost: another exchange's bots lost something, or this one does not recover.
        """
        begun_ms, replaced = _now_ms(), self._replaced()
        simulator = self.places.simulators.by_exchange[exchange]
        simulator.inject(Fault(kind=kind, duration_s=FAULT_S))
        await trio.sleep(FAULT_S)
        ended_ms = _now_ms()
        back_ms = await self._wait_for_price(exchange, ended_ms)
        await self.wait_until_quiet()
        facts = self.facts(since_ms=begun_ms)
        others = {
            name: self._compare(name, begun_ms, back_ms, replaced[name])
            for name in self.witnesses
            if name != exchange
        }
        self._check_others(exchange, facts)
        return Tally(
            exchange,
            kind,
            _since(begun_ms, facts, ExchangeDisconnected, exchange),
            _since(begun_ms, facts, FallbackBegun, exchange),
            self._gap_s(exchange, begun_ms, back_ms),
            (back_ms - ended_ms) / 1000,
            others,
        )

    async def wait_until_quiet(self) -> None:
        """Return when every exchange is connected and every bot and reader hears it."""
        await self._wait(self._is_connected, "an exchange is not connected again")
        since_ms = _now_ms()
        for name in self.witnesses:
            await self._wait_for_price(name, since_ms)

    def facts(self, *, since_ms: int) -> list[tuple[int, Fact]]:
        """Return what the ledger says since then, with the time of each."""
        path = newest_ledger(self.places.state)
        if path is None:
            return []
        with Ledger(path) as ledger:
            return [(row.at_ms, row.fact) for row in ledger.rows() if row.at_ms >= since_ms]

    def _is_connected(self) -> bool:
        try:
            shown = ask_fleet(self.places.state, "status")["exchanges"]
        except (FleetNotRunning, KeyError):
            return False
        return len(shown) == len(self.witnesses) and all(
            it["is_connected"] and not it["over_rest"] for it in shown.values()
        )

    async def _wait_for_price(self, exchange: str, since_ms: int) -> int:
        """Return when bot and reader heard prices later than `since_ms`: of the bot's."""
        heard = self.witnesses[exchange].heard

        def later() -> list[int]:
            seen = self.places.seen(exchange)
            return [at_ms for at_ms, _ in seen if at_ms > since_ms]

        await self._wait(lambda: bool(later()), f"no price of {exchange} in the bot")
        first_ms = min(later())
        await self._wait(
            lambda: any(at_ms > since_ms for at_ms, _ in heard),
            f"no price of {exchange} in the reader beside it",
        )
        return first_ms

    async def _wait(self, is_so: Callable[[], bool], otherwise: str) -> None:
        until_s = trio.current_time() + RECOVERY_S
        while not is_so():
            if self.process.poll() is not None or trio.current_time() > until_s:
                raise Lost(f"{otherwise}\n{self.places.log.read_text()[-6000:]}")
            await trio.sleep(LOOK_S)

    def _compare(
        self, name: str, begun_ms: int, ended_ms: int, replaced_before: int
    ) -> Heard:
        """Return what the bot at `name` saw of what the reader heard.

        Raises:
          Lost: it missed a price that no newer one has replaced.
        """
        heard, seen = self.witnesses[name].heard, self.places.seen(name)
        told = [
            each for each in heard if begun_ms + MARGIN_MS < each[0] < ended_ms - MARGIN_MS
        ]
        missing = [each for each in told if each not in seen]
        replaced = self._replaced()[name] - replaced_before
        if len(missing) > replaced:
            text = f"{missing[:3]}, {len(missing)} of {len(told)} prices"
            raise Lost(f"the bot at {name} missed {text}; {replaced} were replaced")
        return Heard(len(told), len(told) - len(missing), replaced)

    def _replaced(self) -> dict[str, int]:
        """Return by exchange how many prices newer ones have replaced so far."""
        shown = ask_fleet(self.places.state, "status")
        bots = {actor["path"]: actor["replaced"] for actor in shown["actors"]}
        return {
            name: bots[f"bots/bot:counts-{name}"]
            + shown["exchanges"][name]["prices_replaced"]
            for name in self.witnesses
        }

    def _gap_s(self, exchange: str, begun_ms: int, ended_ms: int) -> float:
        times = sorted(
            at_ms for at_ms, _ in self.places.seen(exchange) if at_ms <= ended_ms
        )
        late = [at_ms for at_ms in times if at_ms >= begun_ms]
        early = [at_ms for at_ms in times if at_ms < begun_ms][-1:]
        return max(b - a for a, b in pairwise([*early, *late])) / 1000

    def _check_others(self, exchange: str, facts: Sequence[tuple[int, Fact]]) -> None:
        for _, fact in facts:
            name = getattr(fact, "exchange", exchange)
            if isinstance(fact, ExchangeDisconnected | FallbackBegun) and name != exchange:
                raise Lost(f"{name} suffered, too: {fact}")
            if isinstance(fact, Supervised) and fact.error and exchange not in fact.path:
                raise Lost(f"{fact.path} failed: {fact.error}")


def _since(
    begun_ms: int, facts: Sequence[tuple[int, Fact]], kind: type[Fact], exchange: str
) -> float | None:
    found = [
        at_ms
        for at_ms, fact in facts
        if isinstance(fact, kind) and getattr(fact, "exchange", "") == exchange
    ]
    return (found[0] - begun_ms) / 1000 if found else None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def run(
    home: Path,
    exchanges: Sequence[str],
    faults: Sequence[Kind],
    at: Sequence[str],
    say: Callable[[str], None],
) -> list[Tally]:
    """Let each of `faults` happen at each of `at`, in a fleet on all `exchanges`.

    Raises:
      Lost: names what.
    """
    places = found_places(home, tuple(exchanges))
    tallies: list[Tally] = []
    async with AsyncExitStack() as opened, trio.open_nursery() as nursery:
        await nursery.start(places.simulators.run)
        witnesses = {name: await _witness(opened, places, name) for name in exchanges}
        for witness in witnesses.values():
            nursery.start_soon(witness.run)
        process = start_fleet(places)
        try:
            stage = Stage(places, process, witnesses)
            await stage.wait_until_quiet()
            for kind in faults:
                for name in at:
                    tallies.append(await stage.strike(name, kind))
                    say(tallies[-1].line())
        finally:
            process.terminate()
            with trio.move_on_after(20, shield=True):
                await trio.to_thread.run_sync(process.wait, abandon_on_cancel=True)
            process.kill()
            nursery.cancel_scope.cancel()
    return tallies


async def _witness(opened: AsyncExitStack, places: Places, name: str) -> Witness:
    where = places.simulators.where(name)
    settings = ExchangeConfig(
        name=name,
        url=where.url,
        rest_url=where.rest_url,
        ws_api_url=where.ws_api_url,
        maker_fee_percent=ZERO,
        taker_fee_percent=ZERO,
        ping_s=3.0,  # it shall not be deaf for longer than the fleet
        pong_s=2.5,
    )
    opening = Opening(settings, where, {}, is_simulated=True)
    venue = await open_venue(opened, opening)
    return Witness(name, venue.market)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(typed: Sequence[str]) -> int:
    """Run it, and print what happened."""
    parser = argparse.ArgumentParser("venues", description="Exchanges that misbehave.")
    parser.add_argument("--fault", choices=FAULTS, action="append")
    parser.add_argument("--at", choices=ALL, action="append")
    asked = parser.parse_args(typed)
    faults, at = asked.fault or FAULTS, asked.at or ALL
    code = 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            trio.run(run, Path(folder).resolve(), ALL, faults, at, say)
        except* Lost as lost:
            say(str(lost.exceptions[0]))
            code = 1
    if code == 0:
        say(f"nothing was lost at the {len(ALL) - 1} other exchanges")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
