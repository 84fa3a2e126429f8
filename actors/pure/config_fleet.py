"""Read the tables of a whole `bots.toml`: those with names, and what they inherit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import cast

import attrs

from actors.pure import config_schema as schema
from actors.pure.config_endpoints import ENDPOINTS, Endpoints
from actors.pure.config_exchange_schema import EXCHANGE
from actors.pure.config_problems import Place, describe
from actors.pure.config_read import Raw, refuse_unknown
from actors.pure.config_simulator_schema import SIMULATOR
from actors.pure.config_types import (
    AccountConfig,
    BotConfig,
    Config,
    ExchangeConfig,
    Mode,
    SupervisionConfig,
)
from actors.pure.nearest import did_you_mean

TABLES = ("mode", "state", "supervision", "exchanges", "accounts", "bots", "simulator")
KEYS = (*TABLES, "journal")
DEFAULT_STATE = "var"
NOWHERE = Endpoints("", "", "", frozenset())


def read_fleet(values: Raw, place: Place) -> Config:
    """Return what the file says; it is good only if nothing was reported."""
    refuse_unknown(values, KEYS, place)
    supervision = schema.SUPERVISION.read(
        values.get("supervision", {}), place.at("supervision")
    )
    bots = _bots(values.get("bots", []), place.at("bots"), supervision)
    accounts = _accounts(values.get("accounts", {}), place.at("accounts"), bots)
    exchanges = _exchanges(values.get("exchanges", {}), place.at("exchanges"))
    used = {account.exchange for account in accounts.values()}
    used |= {pair.exchange for bot in bots for pair in bot.reads}
    for name in sorted(used.intersection(ENDPOINTS) - exchanges.keys()):
        exchanges[name] = _exchange(name, {}, place.at("exchanges", name))
    return Config(
        mode=schema.MODE.read(values.get("mode", Mode.SIM.value), place.at("mode")),
        state=read_state(values, place),
        supervision=supervision,
        exchanges=exchanges,
        accounts=accounts,
        bots=bots,
        simulator=SIMULATOR.read(values.get("simulator", {}), place.at("simulator")),
        journal=schema.JOURNAL.read(values.get("journal", {}), place.at("journal")),
    )


def read_state(values: Raw, place: Place) -> str:
    """Return the state folder, as the file names it."""
    return schema.STATE.read(values.get("state", DEFAULT_STATE), place.at("state"))


def _exchanges(raw: object, place: Place) -> dict[str, ExchangeConfig]:
    found: dict[str, ExchangeConfig] = {}
    for name, table in _named(raw, place).items():
        refuse_unknown_exchange(name, place.at(name))
        found[name] = _exchange(name, table, place.at(name))
    return found


def refuse_unknown_exchange(name: str, place: Place) -> None:
    """Refuse an exchange that Shoal cannot speak to."""
    if name not in ENDPOINTS:
        place.refuse(f"unknown exchange{did_you_mean(name, ENDPOINTS)}")


def _exchange(name: str, raw: object, place: Place) -> ExchangeConfig:
    own = ENDPOINTS.get(name, NOWHERE)
    given = {
        "name": name,
        "url": own.url,
        "rest_url": own.rest_url,
        "ws_api_url": own.ws_api_url,
        "trading_rest_url": own.trading_rest_url,
        "maker_fee_percent": Decimal(own.maker_fee_percent),
        "taker_fee_percent": Decimal(own.taker_fee_percent),
    }
    return EXCHANGE.read(raw, place, given=given)


def _accounts(
    raw: object, place: Place, bots: tuple[BotConfig, ...]
) -> dict[str, AccountConfig]:
    capitals = bots_capital(bots)
    found: dict[str, AccountConfig] = {}
    for name, table in _named(raw, place).items():
        schema.NAME.read(name, place.at(name))
        given = {"name": name, "capital": capitals.get(name, Decimal(0))}
        found[name] = schema.ACCOUNT.read(table, place.at(name), given=given)
    return found


def bots_capital(bots: Iterable[BotConfig]) -> Mapping[str, Decimal]:
    """Return what the bots of each account are given together, in quote."""
    capitals: dict[str, Decimal] = {}
    for bot in bots:
        capitals[bot.account] = capitals.get(bot.account, Decimal(0)) + bot.capital
    return capitals


def _bots(
    raw: object, place: Place, supervision: SupervisionConfig
) -> tuple[BotConfig, ...]:
    if not isinstance(raw, list):
        place.refuse(f"must be tables, each begun by [[bots]], not {describe(raw)}")
        return ()
    shared = attrs.asdict(supervision)
    found: list[BotConfig] = []
    for number, table in enumerate(cast("list[object]", raw)):
        found.append(schema.BOT.read(table, place.at(number), given=shared))
    return tuple(found)


def _named(raw: object, place: Place) -> Mapping[str, object]:
    if isinstance(raw, dict):
        return cast("Mapping[str, object]", raw)
    place.refuse(f"must be tables with a name each, not {describe(raw)}")
    return {}
