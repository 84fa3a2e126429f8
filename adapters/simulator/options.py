"""`shoal sim`: a simulated exchange on its own, from the options of a command line."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import attrs
import trio

from adapters.simulator.config import ApiKey, SimulatorConfig
from adapters.simulator.faults import read_faults
from adapters.simulator.server import Simulator, SimulatorEndpoints


class BadOptions(ValueError):
    """The simulator cannot be what the options ask for."""


@attrs.frozen
class SimulatorOptions:
    """What the command line says; `base` holds what it does not say."""

    exchange: str = "binance"
    port: int = 9010
    seed: int = 1
    replay: tuple[Path, ...] = ()
    replay_speed: float = 1.0
    faults: Path | None = None
    keys: tuple[str, ...] = ()  # "KEY:SECRET"; the key is the account's name
    base: SimulatorConfig = attrs.Factory(SimulatorConfig)


def read_key(text: str) -> ApiKey:
    """Return the credentials of "KEY:SECRET".

    Raises:
      BadOptions: there is no colon, or nothing on one side of it.
    """
    key, _, secret = text.partition(":")
    if not key or not secret:
        raise BadOptions("a key is written KEY:SECRET")
    return ApiKey(key, key, secret)


def throw_away_key() -> ApiKey:
    """Return credentials for one run; they open nothing but this simulator."""
    return ApiKey("main", secrets.token_hex(32), secrets.token_hex(32))


def simulator_of(options: SimulatorOptions) -> Simulator:
    """Return the simulator that the options describe.

    Raises:
      BadOptions: an exchange or a key that cannot be.
      BadFaults: the fault script cannot be read.
    """
    if options.exchange != "binance":
        raise BadOptions(f"no simulator speaks {options.exchange!r}; known: binance")
    keys = tuple(read_key(text) for text in options.keys) or (throw_away_key(),)
    faults = () if options.faults is None else read_faults(options.faults)
    config = attrs.evolve(
        options.base,
        port=options.port,
        keys=(*options.base.keys, *keys),
        replay=options.replay,
        replay_speed=options.replay_speed,
        faults=(*options.base.faults, *faults),
    )
    return Simulator(config, seed=options.seed)


async def run_simulator(options: SimulatorOptions) -> None:
    """Serve until cancelled; say in one line where, and with which throw-away key.

    Raises:
      BadOptions, BadFaults, BadRecording: the options make no sense.
      OSError: the port is taken.
    """
    simulator = simulator_of(options)
    async with trio.open_nursery() as nursery:
        endpoints = await nursery.start(simulator.run)
        sys.stdout.write(_greeting(options, simulator, endpoints))
        sys.stdout.flush()


def _greeting(
    options: SimulatorOptions, simulator: Simulator, endpoints: SimulatorEndpoints
) -> str:
    line = (
        f"simulating {options.exchange} · seed {options.seed} · {endpoints.url} · "
        f"{endpoints.rest_url} · {endpoints.ws_api_url}"
    )
    if options.keys:
        return f"{line}\n"
    made = simulator.config.keys[-1]
    return f"{line} · throw-away key {made.key} secret {made.secret}\n"
