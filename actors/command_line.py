"""What may be typed after `shoal`: every command, its arguments and its line of help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from actors.pure.config_endpoints import ENDPOINTS
from actors.pure.error_text import writable
from actors.pure.nearest import did_you_mean

DEFAULT_FILE = "bots.toml"
DESCRIPTION = "Run a fleet of supervised trading bots in one process."
EPILOG = "Exit codes: 0 done, 2 bad input, 70 the fleet gave up, 75 stopped by force."
COMMANDS = {
    "run": "run the fleet until it is told to stop",
    "check": "judge bots.toml: problems and their lines, or what would run",
    "status": "show exchanges, accounts and bots, now or from the ledger",
    "log": "tell what happened, from the ledger",
    "pause": "let a bot open no positions; the one it has stays guarded",
    "halt": "let a bot or a whole account enter nothing; exits go on",
    "resume": "lift the halts of a bot or an account, or the pause of a bot",
    "flatten": "sell what a bot or a whole account holds; shows it first",
    "orders": "list orders with their ids, ours and foreign ones",
    "reconcile": "compare an account with its exchange now",
    "settle": "say what became of an order nobody knows of",
    "adopt": "make a foreign order at the exchange a bot's own",
    "correct": "take out of a position what the exchange does not hold",
    "start": "start a bot that was stopped, disabled or given up",
    "stop": "stop a bot until it is started; its position stays guarded",
    "crash": "crash an actor of the running fleet (a test hook)",
    "salvage": "save what can be read of a damaged ledger",
    "map": "print the wiring, who says what to whom (docs/wiring.md)",
    "sim": "serve a simulated exchange on its own",
}

HANDS = ("settle", "adopt", "correct")


class BadArguments(Exception):
    """The command line cannot be understood; the text says why, in one line."""


class Parser(argparse.ArgumentParser):
    """Complains in one line."""

    def error(self, message: str) -> NoReturn:
        raise BadArguments(f"{self.prog}: {message}; see `{self.prog} --help`")


def parse(typed: Sequence[str]) -> argparse.Namespace:
    """Return the arguments by name.

    Raises:
      BadArguments: there is no such command, or it takes no such argument.
    """
    if typed and not typed[0].startswith("-") and typed[0] not in COMMANDS:
        near = did_you_mean(typed[0], COMMANDS)
        raise BadArguments(f"shoal: unknown command {typed[0]!r}{near}")
    # No option may be shortened: `--liv` is not `--live`.
    parser = Parser("shoal", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument(
        "-V", "--version", action=Version, nargs=0, help="print the version"
    )
    group = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True
    )
    parsers: dict[str, argparse.ArgumentParser] = {}
    for name, words in COMMANDS.items():
        description = f"{words[0].upper()}{words[1:]}."
        parsers[name] = group.add_parser(
            name, help=words, description=description, allow_abbrev=False
        )
    _describe_fleet(parsers)
    _describe_ledger(parsers)
    _describe_bots(parsers)
    _describe_simulator(parsers["sim"])
    parsed, left = parser.parse_known_args(typed)
    if getattr(parsed, "file", "") is None:  # argparse sees none after an option
        is_file = len(left) == 1 and not left[0].startswith("-")
        parsed.file = left.pop() if is_file else DEFAULT_FILE
    if left:
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    return parsed


class Version(argparse.Action):
    """Print the version. Looking it up takes time, so nobody else does."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import (  # noqa: PLC0415 -- slow, and needed here only
            PackageNotFoundError,
            version,
        )

        try:
            text = f"shoal {version('shoal')}\n"
        except PackageNotFoundError:
            text = "shoal, not installed: run ./set-up\n"
        sys.stdout.write(text)
        parser.exit()


def _describe_fleet(parsers: dict[str, argparse.ArgumentParser]) -> None:
    run_parser, check_parser = parsers["run"], parsers["check"]
    _add_file(run_parser)
    run_parser.add_argument(
        "--live", action="store_true", help='needed besides mode = "live"'
    )
    run_parser.add_argument(
        "--log-format",
        choices=("human", "json"),
        default="human",
        help="how each line of the log is written (human)",
    )
    run_parser.add_argument(
        "--for",
        dest="for_s",
        type=_seconds,
        metavar="SECONDS",
        help="stop in order after so many seconds",
    )
    run_parser.add_argument(
        "--stuck",
        dest="stuck_s",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="end the process when nothing moves for so long (60)",
    )
    _add_file(check_parser)
    check_parser.add_argument(
        "--keys", action="store_true", help="print every key that bots.toml may hold"
    )


def _describe_ledger(parsers: dict[str, argparse.ArgumentParser]) -> None:
    log = parsers["log"]
    log.add_argument("-f", "--follow", action="store_true", help="go on as things happen")
    log.add_argument("--events", action="store_true", help="events of bots and exchanges")
    log.add_argument("--actor", metavar="PATH", help="only this actor, or those below it")
    log.add_argument("--bot", metavar="NAME", help="only this bot")
    log.add_argument("--run", metavar="ID", help="only this run")
    parsers["orders"].add_argument(
        "--open", action="store_true", help="none that have ended"
    )
    for name in ("status", "log", "orders"):
        parsers[name].add_argument("--json", action="store_true", help="for machines")
        _add_file(parsers[name])


def _describe_bots(parsers: dict[str, argparse.ArgumentParser]) -> None:
    for name in ("pause", "start", "stop"):
        parsers[name].add_argument(
            "subject", metavar="BOT", help="its name in bots.toml, or owner:NAME for all"
        )
    for name in ("halt", "resume", "flatten"):
        parsers[name].add_argument(
            "subject",
            metavar="BOT|ACCOUNT",
            help="its name in bots.toml, as bot:NAME or account:NAME where both have it;"
            " owner:NAME is all that one owner has",
        )
    parsers["flatten"].add_argument("--yes", action="store_true", help="do it")
    parsers["reconcile"].add_argument(
        "subject", metavar="ACCOUNT", help="its name in bots.toml"
    )
    _describe_hands(parsers)
    plain = ("pause", "start", "stop", "halt", "resume", "flatten", "reconcile")
    for name in (*plain, *HANDS):
        _add_audit(parsers[name], is_required=name in HANDS)
        _add_file(parsers[name])
    parsers["crash"].add_argument("actor", metavar="ACTOR", help="as in feed:binance")
    _add_file(parsers["crash"])
    _add_file(parsers["salvage"])
    for name in ("status", "log", "orders", "salvage"):
        parsers[name].add_argument(
            "--owner", metavar="NAME", default="", help="only what belongs to this owner"
        )
    parsers["map"].add_argument(
        "--orders", action="store_true", help="the life of an order (docs/order-life.md)"
    )
    _add_file(parsers["map"])


def _describe_simulator(sim: argparse.ArgumentParser) -> None:
    add = sim.add_argument
    add("--exchange", choices=tuple(ENDPOINTS), default="binance", help="whose wire")
    add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    add("--port", type=_port, default=9010, metavar="N", help="0 takes a free one (9010)")
    add("--seed", type=_whole, default=1, metavar="S", help="of the synthetic market (1)")
    add("--replay", nargs="+", default=[], metavar="FILE", help="recorded market to play")
    add(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="X",
        help="of the replay: 2 is twice as fast (1); 0 is as fast as its readers take it",
    )
    add(
        "--tls",
        metavar="FOLDER",
        help="serve wss:// and https:// with its certificate.pem and key.pem",
    )
    add("--faults", metavar="FILE", help="a script of what goes wrong, and when")
    add(
        "--key",
        action="append",
        default=[],
        type=_key,
        metavar="NAME:SECRET",
        help="a throw-away API key that it knows; may be given again; Coinbase Exchange:"
        " NAME:SECRET:PASSPHRASE",
    )


def _describe_hands(parsers: dict[str, argparse.ArgumentParser]) -> None:
    """Describe what mends the ledger by an operator's word: a reason must be given."""
    settle, adopt, drift = (parsers[name] for name in HANDS)
    for parser in (settle, adopt):
        parser.add_argument(
            "subject", metavar="ORDER_ID", help="as `shoal orders` shows it, or its end"
        )
    drift.add_argument("subject", metavar="SYMBOL", help="as in BTC/USDT")
    settle.add_argument(
        "--as",
        dest="outcome",
        choices=("not-placed", "canceled", "filled"),
        required=True,
        help="what became of it",
    )
    settle.add_argument(
        "--price", metavar="NUMBER", default="", help="at which it was filled"
    )
    settle.add_argument(
        "--blind", action="store_true", help="do not ask the exchange: it does not answer"
    )
    adopt.add_argument("--bot", metavar="BOT", required=True, help="whose it shall be")
    drift.add_argument("--bot", metavar="BOT", default="", help="whose position it was")


def _add_audit(parser: argparse.ArgumentParser, *, is_required: bool) -> None:
    for name, is_needed, use in (
        ("--reason", is_required, "kept in the ledger"),
        ("--key", False, "of this command: typed again under the same, not done again"),
    ):
        parser.add_argument(
            name, type=writable, metavar="TEXT", default="", required=is_needed, help=use
        )


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        metavar=DEFAULT_FILE,
        help=f"the configuration ({DEFAULT_FILE})",
    )


def _seconds(text: str) -> float:
    seconds = float(text) if text.replace(".", "", 1).isdecimal() else 0.0
    if not 0 < seconds <= 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def _speed(text: str) -> float:
    speed = float(text) if text.replace(".", "", 1).isdecimal() else -1.0
    if not 0 <= speed <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return speed


def _port(text: str) -> int:
    if not text.isdecimal() or int(text[:9]) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _key(text: str) -> tuple[str, str]:
    name, colon, secret = text.partition(":")
    if not (name and colon and secret):
        raise argparse.ArgumentTypeError("must be NAME:SECRET (yours is not shown)")
    return name, secret
