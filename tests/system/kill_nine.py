"""Kill a real fleet with SIGKILL, again and again, and compare it with its exchange (R-07).

`shoal run` and `shoal sim` are two processes with TLS between them. Six bots trade with
market, limit and stop orders, the exchange misbehaves by its script, and the fleet dies at
moments drawn from a seed: while it starts, while it asks what became of its orders, while
orders are on their way. After every few kills it is left alive with its bots paused, until
ledger and exchange agree on every order and fill and each position has its stop there.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import attrs

from adapters.control import FleetNotRunning, ask_fleet
from tests.authority import write_authority
from tests.system.ledger_view import LedgerView
from tests.system.processes import Sim, running_sim, start_fleet, write_live_fleet

SETTLE_EVERY = 20  # kills
SETTLE_S = 300.0  # longest wait for agreement: some orders are lost in a row
START_S = 90.0  # longest start on a busy machine
ORDER_S = 20.0  # longest wait for an order; the exchange may refuse to answer
STARTING = 0.25  # of the kills come before the fleet is up
RECALLING = 0.5  # come then, or as soon as it is up; the others after an order
BOTS = 6
ORDERS = ("", "", 'order = "limit"\nlimit_offset_percent = 0.01\n', "", "",
          'order = "stop_loss_limit"\nstop_trigger_percent = 0.01\n')  # fmt: skip
# What goes wrong at the exchange: kind, first at, again every, for so long (s).
SCRIPT = (
    ("lost_ack", 3, 11, 1.0),
    ("late_ack", 5, 13, 2.0),
    ("server_error", 7, 17, 1.0),
    ("duplicate", 2, 19, 6.0),
    ("reorder", 4, 23, 6.0),
    ("disconnect", 9, 29, 0.1),
    ("garbage", 6, 31, 0.3),
    ("half_open", 12, 37, 0.1),
    ("rate_limit", 15, 61, 0.5),
    ("refuse", 20, 67, 0.7),
    ("clock_skew", 25, 83, 2.0),
)


@attrs.define
class Tally:
    """What was done and seen."""

    kills: int = 0
    while_starting: int = 0
    agreed_s: list[float] = attrs.Factory(list[float])  # from a start to agreement
    began_s: float = attrs.Factory(time.monotonic)

    def lines(self, sim: Sim, view: LedgerView) -> list[str]:
        """Return the summary."""
        truth = sim.truth()
        view.follow()
        orders = truth["orders"]["key1"].values()
        fills = sum(len(order["fills"]) for order in orders)
        struck = " · ".join(f"{n} {kind}" for kind, n in truth["faults_struck"].items())
        middle, most = statistics.median(self.agreed_s), max(self.agreed_s)
        disowned = len(truth["orders"]["key1"].keys() - view.orders.keys())
        return [
            f"{self.kills} SIGKILLs in {time.monotonic() - self.began_s:.0f} s, "
            f"{self.while_starting} of them during the start; "
            f"{view.unheard} orders were on their way",
            f"{len(orders)} orders and {fills} fills at the exchange; placed twice: "
            f"{len(truth['placed_twice'])}; disowned: {disowned}; faults: {struck}",
            f"ledger and exchange agreed, and every position had its stop there, "
            f"{len(self.agreed_s)} times of {len(self.agreed_s)}: "
            f"{middle:.1f} s after the start (median), {most:.1f} s at most",
        ]


class Disagreement(Exception):
    """Ledger and exchange do not come to agree."""


@attrs.define(eq=False)
class Killer:
    """One exchange, one state folder, and one fleet after the other."""

    sim: Sim
    file: Path
    log: Path
    chance: random.Random
    view: LedgerView
    tally: Tally = attrs.Factory(Tally)
    starts: int = 0

    @property
    def state(self) -> Path:
        return self.file.parent / "var"

    def kill(self) -> None:
        """Start a fleet and end it at some moment of its life."""
        with self.fleet() as process:
            moment = self.chance.random()
            if moment < STARTING:
                self.tally.while_starting += 1
            else:
                self.wait_until_up(process)
            if moment >= RECALLING:
                self.wait_for_an_order(process)
            time.sleep(self.chance.uniform(0.0, 1.2))
            self.expect_alive(process)
        self.tally.kills += 1

    def settle(self) -> None:
        """Let it live until all agrees; the bots wait meanwhile.

        Raises:
          Disagreement: names what differs, and the last lines of the fleet.
        """
        began_s = time.monotonic()
        with self.fleet() as process:
            self.wait_until_up(process)
            self.tell("pause")
            said = ["nobody looked"]
            while said and time.monotonic() < began_s + SETTLE_S:
                time.sleep(0.3)
                self.expect_alive(process)
                said = self.view.differences(self.sim.truth())
            if said:
                raise Disagreement("\n".join([*said, self.log.read_text()[-6000:]]))
            self.tally.agreed_s.append(time.monotonic() - began_s)
            self.tell("resume")

    def tell(self, verb: str) -> None:
        """Give every bot the same command, by the control socket of the fleet."""
        for number in range(BOTS):
            answer = ask_fleet(self.state, verb, f"churn-{number}")
            assert "error" not in answer, answer

    @contextmanager
    def fleet(self) -> Generator[subprocess.Popen[bytes]]:
        """Run a fleet; SIGKILL ends it."""
        process = start_fleet(self.file, "--live", log=self.log)
        self.starts += 1
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def wait_until_up(self, process: subprocess.Popen[bytes]) -> None:
        until_s = time.monotonic() + START_S
        while time.monotonic() < until_s:
            self.expect_alive(process)
            try:
                if ask_fleet(self.state, "status")["run"]["is_running"]:
                    return
            except FleetNotRunning:
                time.sleep(0.02)
        raise Disagreement(f"not up within {START_S:g} s\n{self.log.read_text()[-4000:]}")

    def wait_for_an_order(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until this life has begun one, however slow the machine is."""
        self.view.follow()
        before, until_s = len(self.view.orders), time.monotonic() + ORDER_S
        while len(self.view.orders) == before and time.monotonic() < until_s:
            time.sleep(0.02)
            self.expect_alive(process)
            self.view.follow()

    def expect_alive(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is not None:
            raise Disagreement(
                f"ended by itself with {process.returncode}\n{self.log.read_text()[-4000:]}"
            )


def write_script(home: Path) -> Path:
    """Write what goes wrong at the exchange, and when."""
    path = home / "faults.toml"
    path.write_text(
        "".join(
            f'[[faults]]\nkind = "{kind}"\nat_s = {at_s}\nevery_s = {every_s}\n'
            f"duration_s = {length_s}\ndelay_s = 1.5\nskew_ms = 1500\n"
            for kind, at_s, every_s, length_s in SCRIPT
        )
    )
    return path


def write_fleet(home: Path, sim: Sim) -> Path:
    """Write the bots: two symbols, three types of orders, a stop for each position."""
    file = write_live_fleet(home, sim, bots=BOTS)
    head, *bots = file.read_text().split("[[bots]]")
    tables = (f"{bot}{order}" for bot, order in zip(bots, ORDERS, strict=True))
    file.write_text("[[bots]]".join([head, *tables]))
    return file


def kill_nine(
    home: Path,
    *,
    kills: int,
    seed: int,
    settle_every: int,
    say: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Kill a fleet so many times; return the summary.

    Raises:
      Disagreement: ledger and exchange differ for good.
    """
    write_authority(home / "tls")
    with running_sim("--faults", str(write_script(home)), tls=home / "tls") as sim:
        file = write_fleet(home, sim)
        view = LedgerView(home / "var")
        killer = Killer(sim, file, home / "log", random.Random(seed), view)
        while killer.tally.kills < kills:
            killer.kill()
            if killer.tally.kills % settle_every == 0 or killer.tally.kills == kills:
                killer.settle()
                agreed_s = killer.tally.agreed_s[-1]
                say(f"{killer.tally.kills} kills; agreed {agreed_s:.1f} s after a start")
        return killer.tally.lines(sim, view)


def main() -> int:
    """Do it by hand: `just kill-nine 200`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--settle-every", type=int, default=SETTLE_EVERY)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        lines = kill_nine(
            Path(home),
            kills=given.kills,
            seed=given.seed,
            settle_every=given.settle_every,
            say=say,
        )
    say("\n".join(lines))
    return 0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
