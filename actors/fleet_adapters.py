"""Make the adapters of one run: store, venues, keys, strategies, simulated exchanges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs
import outcome
import trio

from actors.fleet_ledgers import abandoned, open_emergency, open_ledgers, stopped_bots
from actors.fleet_paper import open_paper
from actors.fleet_settings import fingerprint
from actors.fleet_stage import accounts_used
from actors.fleet_venues import Account, Keys, Opening, open_venue
from actors.fleet_world import OpenLedger, Venue, World
from actors.messages import Fact
from actors.messages.board import Alarmed
from actors.messages.supervision import Transition
from actors.ports import VenueError
from actors.pure.actor_paths import exchanges_used
from actors.pure.client_order_id import account_tag
from actors.pure.config import AccountConfig, BotConfig, Config, Mode
from actors.pure.config_endpoints import place_of
from actors.pure.error_text import error_text
from actors.pure.market_view import Strategy
from actors.pure.nearest import did_you_mean
from actors.pure.owners import HOUSE
from actors.pure.strategies import BUILT_IN, BadStrategy, build
from adapters.clock import SystemClock
from adapters.control import ControlDesk
from adapters.disk_space import DiskSpace
from adapters.endpoints import Endpoints, ForeignHost
from adapters.files import held, prepare_folder
from adapters.secrets import Redaction, resolve
from adapters.state import locks_folder
from adapters.strategy_file import StrategyUnusable, load_strategy
from adapters.streams import CertificateUnusable

if TYPE_CHECKING:
    from actors.fleet_simulator import Simulators

LIST_S = 5.0  # for the exchange to say what it lists, before the fleet starts without it


class BadFleet(Exception):
    """The fleet cannot run as it is configured; one line for people."""


@attrs.frozen
class Recipe:
    """What builds a bot's strategy; the SHA-256 of its file where it is the user's own."""

    build: Callable[[], Strategy]
    digest: str


@attrs.frozen
class Ears:
    """Who hears of a run: the screen, the scribe, and whoever asks whether it stops."""

    say: Callable[[str], None]  # the journal's own words, past the journal
    announce: Callable[[int, Fact | Alarmed], None]
    report: Callable[[Transition], None]
    is_stopping: Callable[[], bool]


async def open_world(
    opened: AsyncExitStack,
    config: Config,
    *,
    folder: Path,
    home: Path,
    execution: str,
    redaction: Redaction,
    ears: Ears,
) -> World:
    """Make everything outside ready; `opened` closes it after the fleet.

    Raises:
      StateUnusable, SecretError, BadFleet: one line for people.
    """
    recipes = {bot.name: _recipe(bot, home) for bot in config.bots if bot.strategy}
    keys = _keys(config, redaction)
    _hold_accounts(opened, config, prints := _fingerprints(config, keys))
    ledgers = await open_ledgers(opened, config, folder, prints, redaction)
    emergency = await open_emergency(opened, config, ledgers, redaction.clean_json)
    house = ledgers.pop(HOUSE)
    simulators, venues = await _venues(opened, config, keys, home, folder)
    return World(
        execution=execution,
        epoch=house.epoch,
        clock=SystemClock(),
        random=SystemRandom(),
        store=house.store,
        emergency=emergency,
        space=DiskSpace(folder),
        venues=venues,
        desk=ControlDesk(Path(folder).parent, redaction.clean_json),
        tags={name: account_tag(each) for name, each in prints.items()},
        strategies={name: recipe.build for name, recipe in recipes.items()},
        digests={name: recipe.digest for name, recipe in recipes.items() if recipe.digest},
        **attrs.asdict(ears, recurse=False),
        **await _told_before(config, folder, prints, (house, *ledgers.values())),
        simulator=simulators and simulators.run,
        ledgers=ledgers,
    )


async def _told_before(
    config: Config,
    folder: Path,
    prints: Mapping[str, str],
    ledgers: Sequence[OpenLedger],
) -> dict[str, Any]:
    """Return what the ledgers of earlier runs tell, as the world has it."""
    return {
        "stopped_bots": await stopped_bots(ledgers),
        "abandoned": await abandoned(config, folder, prints),
    }


def _fingerprints(config: Config, keys: Mapping[str, Keys]) -> dict[str, str]:
    return {
        name: fingerprint(
            account.exchange,
            config.mode,
            keys[name].key.reveal() if name in keys else name,
        )
        for name, account in accounts_used(config).items()
    }


def _hold_accounts(
    opened: AsyncExitStack, config: Config, prints: Mapping[str, str]
) -> None:
    """Keep every other shoal of this machine off the accounts that trade live (R-30).

    Raises:
      StateUnusable: one of them is traded already.
    """
    if config.mode is not Mode.LIVE:
        return
    folder = prepare_folder(locks_folder())
    for name, print_ in prints.items():
        exchange = config.accounts[name].exchange
        place = quote(place_of(exchange, config.exchanges[exchange].rest_url), safe="")
        said = (
            f"trades on account {name}, and would not know of our orders: stop it, or trade"
            " another account"
        )
        opened.enter_context(held(folder / f"{exchange}-{print_}-{place}", said=said))


def _keys(config: Config, redaction: Redaction) -> dict[str, Keys]:
    """Return the credentials of each account: in mode "sim" throw-away ones, and none
    in mode "paper", which reads no key that is named and makes no signer (R-44).
    """
    found: dict[str, Keys] = {}
    if config.mode is Mode.PAPER:
        return found
    for name, account in accounts_used(config).items():
        pair = found[name] = (
            _thrown_away(account) if config.mode is Mode.SIM else _resolved(account)
        )
        for secret in (pair.key, pair.secret, pair.passphrase):
            if secret is not None:
                redaction.learn(secret)
    return found


def _thrown_away(account: AccountConfig) -> Keys:
    from actors.fleet_simulator import throw_away  # noqa: PLC0415 -- live, nobody needs it

    return throw_away(account)


def _resolved(account: AccountConfig) -> Keys:
    return Keys(
        resolve(account.key or ""),
        resolve(account.secret or ""),
        resolve(account.passphrase) if account.passphrase is not None else None,
    )


async def _venues(
    opened: AsyncExitStack,
    config: Config,
    keys: Mapping[str, Keys],
    home: Path,
    folder: Path,
) -> tuple[Simulators | None, dict[str, Venue]]:
    await trio.lowlevel.checkpoint()
    accounts = {
        name: Account(account, keys[name])
        for name, account in accounts_used(config).items()
        if name in keys
    }
    simulators = _simulators(config, accounts)
    venues = {
        name: await _venue(opened, config, name, accounts, simulators, home)
        for name in exchanges_used(config)
    }
    if config.mode is Mode.PAPER:
        await open_paper(opened, config, venues, folder)
    return simulators, venues


def _simulators(config: Config, accounts: Mapping[str, Account]) -> Simulators | None:
    if config.mode is not Mode.SIM:
        return None
    from actors.fleet_simulator import embedded  # noqa: PLC0415 -- live, nobody needs it

    return embedded(config.simulator, exchanges_used(config), accounts.values())


async def _venue(
    opened: AsyncExitStack,
    config: Config,
    exchange: str,
    accounts: Mapping[str, Account],
    simulators: Simulators | None,
    home: Path,
) -> Venue:
    settings = config.exchanges[exchange]
    own = {name: it for name, it in accounts.items() if it.config.exchange == exchange}
    if simulators is not None:
        where = simulators.where(exchange)
        return await open_venue(opened, Opening(settings, where, own, is_simulated=True))
    where = Endpoints(
        settings.url, settings.ws_api_url, settings.rest_url, settings.trading_rest_url
    )
    ca_file = home / settings.ca_file if settings.ca_file is not None else None
    try:
        venue = await open_venue(opened, Opening(settings, where, own, ca_file))
    except (ForeignHost, CertificateUnusable) as error:
        raise BadFleet(f"exchanges.{exchange}: {error}") from error
    await _check_listed(config, exchange, venue)
    return venue


async def _check_listed(config: Config, exchange: str, venue: Venue) -> None:
    """Refuse symbols that the exchange does not list, if it answers in time.

    Raises:
      BadFleet: names the bot, the symbol and the nearest one that is listed.
    """
    with trio.move_on_after(LIST_S):
        await trio.lowlevel.checkpoint()
        try:
            venue.instruments.update(await venue.market.instruments())
        except VenueError:
            return
    for bot in config.bots if venue.instruments else ():
        for pair in (config.pair_of(bot), *bot.reads):
            if pair.exchange == exchange and pair.symbol not in venue.instruments:
                near = did_you_mean(pair.symbol, venue.instruments)
                text = f"{exchange} does not list {pair.symbol}{near}"
                raise BadFleet(f"bot {bot.name}: {text}")


def _recipe(bot: BotConfig, home: Path) -> Recipe:
    """Return what builds a new strategy for the bot, once it has been tried."""
    made, digest = BUILT_IN.get(bot.strategy), ""
    try:
        if made is None:
            made, digest = load_strategy(home, bot.strategy)
        built = outcome.capture(build, made, bot.params)  # whatever it raises
        if isinstance(built, outcome.Error) and not isinstance(built.error, BadStrategy):
            raise BadStrategy(error_text(built.error)) from built.error
        built.unwrap()
    except (StrategyUnusable, BadStrategy) as error:
        raise BadFleet(f"bot {bot.name}: {error}") from error
    return Recipe(partial(build, made, bot.params), digest)
