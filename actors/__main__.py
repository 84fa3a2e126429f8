"""The command `shoal`: which function does what was typed.

Heavy parts are imported by the command that needs them: `shoal check` reads one file.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from actors import exit_codes
from actors.command_line import COMMANDS, BadArguments, parse
from actors.pure.config import Config, Mode, Problems, summary
from actors.pure.config_reference import reference
from adapters.config_file import read_config, read_state

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was typed; return the exit code."""
    os.umask(0o077)  # Before anything is created (S-13).
    _open_closed_streams()
    typed = list(sys.argv[1:] if arguments is None else arguments)
    try:
        parsed = parse(typed)
    except BadArguments as error:
        return complain(str(error))
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")  # A terminal may not know every sign of ours.
    try:
        exit_code = commands()[parsed.command](parsed)
        sys.stdout.flush()
    except BrokenPipeError:  # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.OK
    except KeyboardInterrupt:  # before a command could say how it is stopped
        sys.stderr.write("interrupted\n")
        return exit_codes.FORCED
    return exit_code


def _open_closed_streams() -> None:
    """Give what closed streams are told to nobody: a ledger must not take their number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def commands() -> dict[str, Command]:
    """Return the function behind each command."""
    own = {"check": check, "run": run, "map": print_map, "sim": _of_the_fleet("sim")}
    return {name: own.get(name) or _on_state(name) for name in COMMANDS}


def check(arguments: argparse.Namespace) -> int:
    """Judge the file; with `--keys`, print what it may hold instead."""
    if arguments.keys:
        sys.stdout.write(reference())
        return exit_codes.OK
    config = _config(arguments.file)
    if isinstance(config, Problems):
        return complain(str(config))
    sys.stdout.write(f"{arguments.file} is good: {summary(config)}\n")
    return exit_codes.OK


def run(arguments: argparse.Namespace) -> int:
    """Run the fleet, if the file is good and live trading was asked for twice (S-15)."""
    config = _config(arguments.file)
    if isinstance(config, Problems):
        return complain(str(config))
    again = f"shoal run {arguments.file}"
    if config.mode is Mode.LIVE and not arguments.live:
        return complain(
            f'{arguments.file}: mode = "live" trades real money; '
            f"if you mean it, type: {again} --live"
        )
    if arguments.live and config.mode is not Mode.LIVE:
        return complain(
            f'{arguments.file}: mode = "{config.mode.value}", so nothing is live; '
            f"type: {again}"
        )
    arguments.config = config
    return _of_the_fleet("run")(arguments)


def print_map(arguments: argparse.Namespace) -> int:
    """Print the wiring of the fleet that the file describes."""
    config = _config(arguments.file)
    if isinstance(config, Problems):
        return complain(str(config))
    arguments.config = config
    return _of_the_fleet("print_map")(arguments)


def _on_state(name: str) -> Command:
    """Return a command that needs no more of the file than the state folder."""

    def command(arguments: argparse.Namespace) -> int:
        state = read_state(Path(arguments.file))
        if isinstance(state, Problems):
            return complain(str(state))
        arguments.state = state
        return _of_the_fleet(name)(arguments)

    return command


def _of_the_fleet(name: str) -> Command:
    def command(arguments: argparse.Namespace) -> int:
        fleet_commands: Any = importlib.import_module("actors.fleet_commands")
        return getattr(fleet_commands, name.replace("-", "_"))(arguments)

    return command


def _config(file: str) -> Config | Problems:
    return read_config(Path(file))


def complain(text: str) -> int:
    """Say what is wrong with the input, and answer with its exit code."""
    sys.stderr.write(f"{text}\n")
    return exit_codes.BAD_INPUT


if __name__ == "__main__":
    raise SystemExit(main())
