"""What the command line does with a fleet: run it, look at it, speak to it."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from actors import exit_codes
from actors.fleet_reading import ledger_paths, log, orders, status
from actors.pure.order_life_map import markdown
from actors.questions import MAY_BE_DONE
from adapters.clock import SystemClock
from adapters.control import FleetNotRunning, ask_fleet
from adapters.files import StateUnusable, held_folder


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


def command(verb: str, arguments: argparse.Namespace) -> int:
    """Bring an operator's command to the running fleet; it is done once for each key."""
    given = vars(arguments)
    return _speak(
        arguments,
        verb,
        arguments.subject,
        reason=arguments.reason,
        key=arguments.key or secrets.token_hex(8),
        bot=given.get("bot", ""),
        outcome=given.get("outcome", ""),
        price=given.get("price", ""),
        is_blind=given.get("blind", False),
        is_sure=given.get("yes", False),
    )


adopt = partial(command, "adopt")
correct = partial(command, "correct")
flatten = partial(command, "flatten")
halt = partial(command, "halt")
pause = partial(command, "pause")
reconcile = partial(command, "reconcile")
resume = partial(command, "resume")
settle = partial(command, "settle")
start = partial(command, "start")
stop = partial(command, "stop")


def crash(arguments: argparse.Namespace) -> int:
    return _speak(arguments, "crash", arguments.actor)


def salvage(arguments: argparse.Namespace) -> int:
    """Put a new ledger in the place of the damaged one that ran last (R-31)."""
    from adapters.sqlite.salvage import salvage as salvaged  # noqa: PLC0415 -- rare

    try:
        path = next(iter(ledger_paths(arguments).values()))
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


def _speak(arguments: argparse.Namespace, verb: str, subject: str, **more: Any) -> int:
    try:
        answer: Mapping[str, Any] = ask_fleet(arguments.state, verb, subject, **more)
    except FleetNotRunning as error:
        if error.is_heard:
            return _complain(f"{error}: {MAY_BE_DONE}")
        advice = f"start it with `shoal run {arguments.file}`"
        silent = "nothing was done; type it again, and see `shoal log` for what ails it"
        return _complain(f"{error}: {silent if error.holder else advice}")
    if "error" in answer:
        return _complain(str(answer["error"]))
    sys.stdout.write(f"{answer['said']}\n")
    return exit_codes.OK


def _complain(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return exit_codes.BAD_INPUT


__all__ = [
    "adopt",
    "correct",
    "crash",
    "flatten",
    "halt",
    "log",
    "orders",
    "pause",
    "print_map",
    "reconcile",
    "resume",
    "run",
    "salvage",
    "settle",
    "sim",
    "start",
    "status",
    "stop",
]
