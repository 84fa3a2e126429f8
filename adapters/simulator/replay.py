"""Plays recorded sessions as the market: same frames, same pace, bots may trade on them.

Frames go out as they were recorded. What a recorded line means is its dialect's business;
the pace, the order of the files and the wait for slow readers are the same for all.
"""

from __future__ import annotations

import gzip
from collections.abc import Generator, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import attrs
import msgspec
import trio

from adapters.simulator.config import Listing, SimulatorConfig
from adapters.simulator.dialect import Player, Survey, Venue


class BadRecording(ValueError):
    """A file is not a recorded session of the venue's market data."""


class Line(msgspec.Struct):
    """One line of a session file."""

    ts: str
    dir: str
    raw: str


@attrs.frozen
class Recordings:
    config: SimulatorConfig
    sessions: tuple[Survey, ...]
    starts_ms: Mapping[str, int]


_line = msgspec.json.Decoder(Line)


def read_lines(path: Path) -> Generator[Line]:
    """Return the lines of a session file, gzipped or not.

    Raises:
      BadRecording: the file cannot be read as one.
    """
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as lines:
            for text in lines:
                yield _line.decode(text)
    except OSError as error:
        raise BadRecording(f"{path}: {error.strerror or error}") from error
    except EOFError as error:
        raise BadRecording(f"{path}: {error}") from error
    except msgspec.MsgspecError as error:
        raise BadRecording(f"{path}: no recording of a market: {error}") from error


def load_recordings(config: SimulatorConfig, venue: Venue) -> Recordings:
    """Look through the recordings: which symbols, from what price and time.

    Raises:
      BadRecording: a file has no trades, or is no recording of this venue.
    """
    listings = {listing.venue_symbol: listing for listing in config.listings}
    played: dict[str, Listing] = {}
    starts_ms: dict[str, int] = {}
    sessions: list[Survey] = []
    for path in config.replay:
        if venue.survey is None:
            raise BadRecording(f"{path}: recordings of {config.dialect} are not played")
        session = venue.survey(path)
        listing = listings.get(session.symbol)
        if listing is None:
            raise BadRecording(f"{path}: {session.symbol} is not a listed symbol")
        played[session.symbol] = attrs.evolve(listing, price=Decimal(session.price))
        starts_ms.setdefault(session.symbol, session.start_ms)
        sessions.append(session)
    if sessions:
        config = attrs.evolve(config, listings=tuple(played.values()))
    return Recordings(config, tuple(sessions), starts_ms)


class Replay:
    """The recorded sessions on their way through one dialect."""

    def __init__(
        self, player: Player, sessions: tuple[Survey, ...], config: SimulatorConfig
    ) -> None:
        self._player = player
        self._sessions = sessions
        self._config = config
        self.is_over = trio.Event()

    async def run(self) -> None:
        """Wait for the first reader, then play every session beside the others."""
        await self._player.has_readers.wait()
        await trio.sleep(self._config.replay_wait_s)
        by_symbol: dict[str, list[Survey]] = {}
        for session in self._sessions:
            by_symbol.setdefault(session.symbol, []).append(session)
        async with trio.open_nursery() as nursery:
            for sessions in by_symbol.values():
                nursery.start_soon(self._play_all, sessions)
        self.is_over.set()

    async def _play_all(self, sessions: list[Survey]) -> None:
        await trio.lowlevel.checkpoint()
        for session in sessions:
            await self._play(session)

    async def _play(self, session: Survey) -> None:
        await trio.lowlevel.checkpoint()
        speed = self._config.replay_speed
        began_s, first_s = trio.current_time(), None
        with closing(read_lines(session.path)) as lines:
            for line in lines:
                ts_s = float(line.ts)
                first_s = ts_s if first_s is None else first_s
                if speed:
                    await trio.sleep_until(began_s + (ts_s - first_s) / speed)
                else:
                    await self._player.wait_room(session.symbol)
                self._player.play(session, line)
