"""What the command line does with a fleet: run it, look at it, speak to it."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import msgspec

from actors import exit_codes
from actors.pure.events import Story, event_json
from actors.pure.lines import actor_of, fact_line
from actors.pure.order_life_map import markdown
from actors.pure.read_model import ReadModel
from actors.pure.status import status_lines, status_of
from adapters.clock import SystemClock
from adapters.control import FleetNotRunning, ask_fleet
from adapters.files import StateUnusable, held_folder
from adapters.sqlite.ledger import Ledger, LedgerRow
from adapters.state import newest_ledger

FOLLOW_S = 0.3  # between two looks at the ledger


def run(arguments: argparse.Namespace) -> int:
    """Run the fleet (the config is already good)."""
    from actors.fleet_run import RunOptions, run_fleet  # noqa: PLC0415 -- the network stack
    from adapters.log import LogFormat  # noqa: PLC0415 -- the same

    options = RunOptions(
        LogFormat(arguments.log_format),
        arguments.for_s,
        Path(arguments.file).parent,
        arguments.stuck_s,
    )
    return run_fleet(arguments.config, options)


def print_map(arguments: argparse.Namespace) -> int:
    """Print the wiring of the fleet."""
    from actors.fleet_map import wiring_map  # noqa: PLC0415 -- imports every actor

    text = markdown() if arguments.orders else wiring_map(arguments.config)
    sys.stdout.write(text)
    return exit_codes.OK


def sim(arguments: argparse.Namespace) -> int:
    """Serve a simulated exchange until interrupted."""
    from actors.fleet_simulator import serve  # noqa: PLC0415 -- the network stack

    return serve(arguments)


def status(arguments: argparse.Namespace) -> int:
    """Show the fleet: from the fleet itself while it runs, else from its ledger."""
    try:
        found: Mapping[str, Any] = ask_fleet(arguments.state, "status")
    except FleetNotRunning:
        ledger = _newest(arguments.state)
        if ledger is None:
            return _nothing(arguments.state)
        model = ReadModel()
        try:
            with ledger:
                for row in ledger.rows():
                    model.apply(row.fact, row.at_ms)
                    model.seq = row.seq
        except StateUnusable as error:
            return _complain(str(error))
        found = status_of(model, time.time_ns() // 1_000_000)
    if "error" in found:
        return _complain(str(found["error"]))
    if arguments.json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        sys.stdout.write("\n".join(status_lines(found)) + "\n")
    return exit_codes.OK


def log(arguments: argparse.Namespace) -> int:
    """Tell the newest ledger's rows, and go on with -f until interrupted."""
    ledger = _newest(arguments.state)
    if ledger is None:
        return _nothing(arguments.state)
    teller = _Teller(arguments, sys.stdout)
    seq = 0
    try:
        with ledger:
            while True:
                seq = teller.tell(ledger.rows(after=seq), seq)
                sys.stdout.flush()
                if not arguments.follow:
                    return _asked_in_vain(arguments) if not teller.told else exit_codes.OK
                time.sleep(FOLLOW_S)
    except StateUnusable as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return exit_codes.OK


def command(verb: str, arguments: argparse.Namespace) -> int:
    """Bring an operator's command to the running fleet; it is done once for each key."""
    key = arguments.key or secrets.token_hex(8)
    return _speak(arguments, verb, arguments.subject, reason=arguments.reason, key=key)


halt = partial(command, "halt")
pause = partial(command, "pause")
resume = partial(command, "resume")
start = partial(command, "start")
stop = partial(command, "stop")


def crash(arguments: argparse.Namespace) -> int:
    return _speak(arguments, "crash", arguments.actor)


def salvage(arguments: argparse.Namespace) -> int:
    """Put a new ledger in the place of the damaged one that ran last (R-31)."""
    from adapters.sqlite.salvage import salvage as salvaged  # noqa: PLC0415 -- rare

    path = newest_ledger(arguments.state)
    if path is None:
        return _nothing(arguments.state)
    try:
        with held_folder(arguments.state):
            found = salvaged(path, SystemClock().now_ms())
    except StateUnusable as error:
        return _complain(str(error))
    sys.stdout.write(
        f"{path}: {found.kept} rows kept, {found.lost} unreadable, {found.dropped} of"
        f" orders whose beginning is lost · the damaged files are in {found.quarantine} ·"
        " the next run books from the exchange what is missing\n"
    )
    return exit_codes.OK


def _asked_in_vain(arguments: argparse.Namespace) -> int:
    """Say that nothing was found: a mistyped name must not look like a quiet bot."""
    asked = {"actor": arguments.actor, "bot": arguments.bot, "run": arguments.run}
    named = " and ".join(f"{what} {name!r}" for what, name in asked.items() if name)
    sys.stderr.write(f"the ledger has nothing of {named or 'that'}\n")
    return exit_codes.OK


class _Teller:
    """Prints the rows that were asked for."""

    def __init__(self, arguments: argparse.Namespace, out: TextIO) -> None:
        self.arguments = arguments
        self.out = out
        self.story = Story()
        self.day = ""  # of the line before
        self.told = 0

    def tell(self, rows: Iterable[LedgerRow], seq: int) -> int:
        """Print rows; return the number of the last one."""
        for row in rows:
            seq = row.seq
            event = self.story.tell(row.at_ms, row.fact)
            if not self._is_wanted(row, event.execution_id):
                continue
            self.told += 1
            if self.arguments.events or self.arguments.json:
                self.out.write(event_json(event) + "\n")
            else:
                self._tell_day(row.at_ms)
                self.out.write(fact_line(row.at_ms, row.fact) + "\n")
        return seq

    def _tell_day(self, at_ms: int) -> None:
        """Say the date where it changes: the lines have the time of day only."""
        day = f"{datetime.fromtimestamp(at_ms // 1000, tz=UTC):%Y-%m-%d} UTC"
        if day != self.day:
            self.out.write(f"{day}\n")
        self.day = day

    def _is_wanted(self, row: LedgerRow, execution: str) -> bool:
        asked = self.arguments
        bot = getattr(row.fact, "bot", "")
        return (
            (not asked.run or asked.run == execution)
            and (not asked.bot or asked.bot == bot)
            and (not asked.actor or _is_of(asked.actor, row))
            and (not asked.events or type(row.fact).__name__ != "Supervised")
        )


def _is_of(asked: str, row: LedgerRow) -> bool:
    path = getattr(row.fact, "path", "")
    actor = actor_of(row.fact)
    return asked in {path, actor} or f"/{path}/".startswith(f"/{asked}/")


def _speak(arguments: argparse.Namespace, verb: str, subject: str, **more: str) -> int:
    try:
        answer: Mapping[str, Any] = ask_fleet(arguments.state, verb, subject, **more)
    except FleetNotRunning as error:
        return _complain(f"{error}: start it with `shoal run {arguments.file}`")
    if "error" in answer:
        return _complain(str(answer["error"]))
    sys.stdout.write(f"{answer['said']}\n")
    return exit_codes.OK


def _newest(state: Path) -> Ledger | None:
    path = newest_ledger(state)
    return Ledger(path) if path is not None else None


def _nothing(state: Path) -> int:
    return _complain(f"there is no ledger in {state} yet: `shoal run` makes one")


def _complain(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return exit_codes.BAD_INPUT
