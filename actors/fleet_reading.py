"""Look at a fleet from the command line: `shoal status` and `shoal log`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import msgspec

from actors import exit_codes
from actors.pure.events import Story, event_json
from actors.pure.lines import actor_of, fact_line
from actors.pure.nearest import did_you_mean
from actors.pure.orders_shown import orders_lines, orders_of
from actors.pure.owner_view import view
from actors.pure.owners import HOUSE, OWNER
from actors.pure.read_model import ReadModel
from actors.pure.status import status_of
from actors.pure.status_text import status_lines
from adapters.control import FleetNotRunning, ask_fleet
from adapters.files import StateUnusable
from adapters.sqlite.ledger import LedgerRow
from adapters.sqlite.ledgers import Ledgers
from adapters.state import newest_ledgers

FOLLOW_S = 0.3  # between two looks at the ledger


def status(arguments: argparse.Namespace) -> int:
    """Show the fleet: from the fleet itself while it runs, else from its ledgers."""
    asked = f"{OWNER}{arguments.owner}" if arguments.owner else ""
    try:
        found: Mapping[str, Any] = ask_fleet(arguments.state, "status", asked)
    except FleetNotRunning as silent:
        try:
            left = _model_left(arguments)
        except StateUnusable as error:
            return _complain(str(error))
        now_ms, is_held = time.time_ns() // 1_000_000, bool(silent.holder)
        found = status_of(left, now_ms, is_held=is_held)
    return _show(found, status_lines, is_json=arguments.json)


def orders(arguments: argparse.Namespace) -> int:
    """List orders with whole ids, from the fleet while it runs, else from its ledgers."""
    asked = f"{OWNER}{arguments.owner}" if arguments.owner else ""
    which = "open" if arguments.open else ""
    try:
        found: Mapping[str, Any] = ask_fleet(
            arguments.state, "orders", asked, outcome=which
        )
    except FleetNotRunning:
        try:
            left = _model_left(arguments)
        except StateUnusable as error:
            return _complain(str(error))
        found = orders_of(left, is_open_only=arguments.open)
    return _show(found, orders_lines, is_json=arguments.json)


def _show(
    found: Mapping[str, Any],
    lines: Callable[[Mapping[str, Any]], list[str]],
    *,
    is_json: bool,
) -> int:
    if "error" in found:
        return _complain(str(found["error"]))
    text = msgspec.json.encode(found).decode() if is_json else "\n".join(lines(found))
    sys.stdout.write(text + "\n")
    return exit_codes.OK


def log(arguments: argparse.Namespace) -> int:
    """Tell the rows of the newest run's ledgers, and go on with -f until interrupted."""
    teller = _Teller(arguments, sys.stdout)
    try:
        with Ledgers(ledger_paths(arguments)) as ledgers:
            while True:
                teller.tell(ledgers.rows())
                sys.stdout.flush()
                if ledgers.damage:
                    return _complain("; ".join(ledgers.damage))
                if not arguments.follow:
                    return exit_codes.OK if teller.told else teller.told_nothing()
                time.sleep(FOLLOW_S)
    except StateUnusable as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return exit_codes.OK


def _model_left(arguments: argparse.Namespace) -> ReadModel:
    """Return the fleet as the newest run left it.

    Raises:
      StateUnusable: there is none, or no ledger of it can be read.
    """
    model = ReadModel()
    paths = ledger_paths(arguments)
    house = newest_ledgers(arguments.state).get(HOUSE)
    if house is None:
        sys.stderr.write("the house's ledger of the newest run is not there\n")
    with Ledgers(({HOUSE: house} if house else {}) | paths) as ledgers:
        for owner, row in ledgers.rows():
            model.apply(row.fact, row.at_ms, owner)
        model.seq = sum(ledgers.seqs.values())
        if ledgers.damage:
            sys.stderr.write("; ".join(ledgers.damage) + "\n")
    model, _ = view(model, None, arguments.owner)
    return model


def ledger_paths(arguments: argparse.Namespace) -> dict[str, Path]:
    """Return the newest run's ledgers by owner, or that of the owner who is asked for.

    Raises:
      StateUnusable: there is none.
    """
    paths = newest_ledgers(arguments.state)
    if not paths:
        raise StateUnusable(
            f"there is no ledger in {arguments.state} yet: `shoal run` makes one"
        )
    owner = arguments.owner
    if owner and owner not in paths:
        near = did_you_mean(owner, [name for name in paths if name])
        raise StateUnusable(f"no owner {owner!r} has a ledger of the newest run{near}")
    return {owner: paths[owner]} if owner else paths


class _Teller:
    """Prints the rows that were asked for."""

    def __init__(self, arguments: argparse.Namespace, out: TextIO) -> None:
        self.arguments = arguments
        self.out = out
        self.stories: dict[str, Story] = {}  # of each ledger
        self.day = ""  # of the line before
        self.told = 0
        self.names = {what: set[str]() for what in ("actor", "bot", "run")}

    def tell(self, rows: Iterable[tuple[str, LedgerRow]]) -> None:
        """Print rows; each comes with the owner of its ledger."""
        for owner, row in rows:
            event = self.stories.setdefault(owner, Story()).tell(row.at_ms, row.fact)
            if not self.told:
                self._note_names(row, event.execution_id)
            if not self._is_wanted(row, event.execution_id):
                continue
            self.told += 1
            if self.arguments.events or self.arguments.json:
                self.out.write(event_json(event) + "\n")
            else:
                self._tell_day(row.at_ms)
                self.out.write(fact_line(row.at_ms, row.fact) + "\n")

    def told_nothing(self) -> int:
        """Say that nothing was found: a mistyped name must not look like a quiet bot."""
        asked = {what: getattr(self.arguments, what) for what in self.names}
        named = " and ".join(f"{what} {name!r}" for what, name in asked.items() if name)
        nothing = f"the ledger has nothing of {named or 'that'}"
        for what, name in asked.items():
            if name and name.rsplit("/", 1)[-1] not in self.names[what]:
                return _complain(nothing + did_you_mean(name, self.names[what] - {""}))
        sys.stderr.write(f"{nothing}\n")
        return exit_codes.OK

    def _note_names(self, row: LedgerRow, execution: str) -> None:
        """Remember whom the ledger speaks of, until something is told."""
        self.names["actor"].add(actor_of(row.fact))
        self.names["bot"].add(getattr(row.fact, "bot", ""))
        self.names["run"].add(execution)

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


def _complain(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return exit_codes.BAD_INPUT
