"""Simulated exchanges: inside the fleet in mode "sim", or one on its own as `shoal sim`."""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import cast

import attrs
import msgspec
import trio

from actors import exit_codes
from actors.errors import leaves
from actors.fleet_venues import Account, Keys
from actors.pure.config import AccountConfig, FaultConfig
from actors.pure.config import SimulatorConfig as Table
from actors.pure.config_endpoints import ENDPOINTS
from adapters.endpoints import Endpoints
from adapters.secrets import Secret
from adapters.simulator.config import (
    BTC,
    ETH,
    ApiKey,
    DialectName,
    Listing,
    Phase,
    SimulatorConfig,
)
from adapters.simulator.faults import BadFaults, Fault, read_faults
from adapters.simulator.replay import BadRecording
from adapters.simulator.server import Simulator
from adapters.streams import CertificateUnusable, tls_serving

LOOPBACK = "127.0.0.1"


@attrs.frozen(eq=False)
class Simulators:
    """The simulated exchanges of one fleet, by name; each has a server of its own."""

    by_exchange: Mapping[str, Simulator]

    def where(self, exchange: str) -> Endpoints:
        """Return the addresses of one of them."""
        found = self.by_exchange[exchange].endpoints
        return Endpoints(found.url, found.ws_api_url, found.rest_url, found.rest_url)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Serve them all until cancelled. Ready once every port is open.

        Raises:
          OSError: a port is taken.
        """
        async with trio.open_nursery() as nursery:
            for simulator in self.by_exchange.values():
                await nursery.start(simulator.run)
            task_status.started()


def throw_away(account: AccountConfig) -> Keys:
    """Return credentials of the shape that the exchange gives out, good for one run."""
    return _throw_away(account.exchange, has_passphrase=account.passphrase is not None)


def _throw_away(exchange: str, *, has_passphrase: bool = False) -> Keys:
    key = Secret(secrets.token_hex(32))
    match exchange:
        case "coinbase" if has_passphrase:
            secret, word = secrets.token_bytes(64), Secret(secrets.token_hex(16))
            return Keys(key, Secret(base64.b64encode(secret).decode()), word)
        case "coinbase":
            return Keys(key, Secret(_ed25519()))
        case "kraken":
            return Keys(key, Secret(base64.b64encode(secrets.token_bytes(64)).decode()))
        case _:
            return Keys(key, Secret(secrets.token_hex(32)))


def _ed25519() -> str:
    """Return a private key as Coinbase gives it out: seed and public key, in base64."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 -- slow
        Ed25519PrivateKey,
    )

    key = Ed25519PrivateKey.generate()
    both = key.private_bytes_raw() + key.public_key().public_bytes_raw()
    return base64.b64encode(both).decode()


def embedded(
    table: Table, exchanges: Sequence[str], accounts: Iterable[Account]
) -> Simulators:
    """Return the exchanges that `[simulator]` describes, each on a free port."""
    keys = list(accounts)
    return Simulators(
        {
            exchange: _embedded(
                exchange,
                table.of(exchange),
                [each for each in keys if each.config.exchange == exchange],
            )
            for exchange in exchanges
        }
    )


def _embedded(exchange: str, table: Table, accounts: Sequence[Account]) -> Simulator:
    config = SimulatorConfig(
        dialect=cast("DialectName", exchange),
        listings=tuple(_listing(symbol, price) for symbol, price in table.prices.items()),
        keys=tuple(_api_key(account, table) for account in accounts),
        maker_fee=table.fee_percent / 100,
        taker_fee=table.fee_percent / 100,
        ticks_per_s=table.ticks_per_s,
        ticker_ms=table.ticker_ms,
        scenario=tuple(
            Phase(phase.at_s, phase.duration_s, float(phase.percent), phase.symbol)
            for phase in table.phases
        ),
        scenario_every_s=table.phases_every_s,
        faults=tuple(_fault(fault) for fault in table.faults),
        host=LOOPBACK,
        port=free_port(),
    )
    number = list(ENDPOINTS).index(exchange)  # prices differ from one to the other
    return Simulator(config, seed=table.seed + number)


def _api_key(account: Account, table: Table) -> ApiKey:
    keys = account.keys
    return ApiKey(
        account.config.name,
        keys.key.reveal(),
        keys.secret.reveal(),
        passphrase=keys.passphrase.reveal() if keys.passphrase is not None else "",
        balances=dict(table.balances),
    )


def _given_key(name: str, exchange: str, key: str, secret: str) -> ApiKey:
    """Return a key of the command line; one of Coinbase's may end in a passphrase."""
    if exchange == "coinbase":
        secret, _, passphrase = secret.partition(":")
        return ApiKey(name, key, secret, passphrase=passphrase)
    return ApiKey(name, key, secret)


def _fault(fault: FaultConfig) -> Fault:
    told = attrs.asdict(fault)
    del told["exchange"]
    return msgspec.convert(told, Fault)


def free_port() -> int:
    """Return a port that nobody listens on now, so that a restart can take it again."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def serve(arguments: argparse.Namespace) -> int:
    """Serve a simulated exchange until interrupted; return the exit code."""
    pairs: list[tuple[str, str]] = arguments.key
    if not pairs:
        made_up = _throw_away(arguments.exchange)
        pairs = [(made_up.key.reveal(), made_up.secret.reveal())]
    code = exit_codes.OK
    try:
        faults = read_faults(Path(arguments.faults)) if arguments.faults else ()
        config = SimulatorConfig(
            dialect=arguments.exchange,
            listings=(BTC, ETH),
            keys=tuple(
                _given_key(f"key{n}", arguments.exchange, *pair)
                for n, pair in enumerate(pairs, 1)
            ),
            faults=faults,
            replay=tuple(Path(file) for file in arguments.replay),
            replay_speed=arguments.speed,
            host=arguments.host,
            port=arguments.port,
        )
        tls = tls_serving(Path(arguments.tls)) if arguments.tls else None
        made = "" if arguments.key else f"a throw-away key: {pairs[0][0]}:{pairs[0][1]}\n"
        trio.run(_serve, Simulator(config, seed=arguments.seed, tls=tls), made)
    except* KeyboardInterrupt:
        pass  # that is how it is told to stop
    except* (BadFaults, BadRecording, CertificateUnusable) as errors:
        sys.stderr.write(f"{leaves(errors)[0]}\n")
        code = exit_codes.BAD_INPUT
    except* OSError as errors:
        where = f"{arguments.host} port {arguments.port}"
        sys.stderr.write(f"cannot listen on {where}: {_why(leaves(errors)[0])}\n")
        code = exit_codes.BAD_INPUT
    return code


def _why(error: BaseException) -> str:
    number = getattr(error, "errno", None)
    return os.strerror(number) if isinstance(number, int) and number > 0 else str(error)


async def _serve(simulator: Simulator, made: str) -> None:
    async with trio.open_nursery() as nursery:
        where = await nursery.start(simulator.run)
        sys.stdout.write(
            f"{made}simulated {simulator.config.dialect} listens:"
            f" {where.rest_url} {where.url} {where.ws_api_url}\n"
        )
        sys.stdout.flush()


def _listing(symbol: str, price: Decimal) -> Listing:
    """Return the symbol's listing; quantities fit its price (a lot is worth about 0.1)."""
    for known in (BTC, ETH):
        if known.symbol == symbol:
            return Listing(
                symbol,
                price,
                lot=known.lot,
                base_min=known.base_min,
                market_base_max=known.market_base_max,
                volatility=known.volatility,
            )
    lot = Decimal(1).scaleb(-max(0, price.adjusted() + 1))
    return Listing(symbol, price, lot=lot, base_min=lot)
