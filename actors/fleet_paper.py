"""The accounts of mode "paper": real prices, no key, a file of their own for each (R-44).

A paper account is made of a venue's `Market` alone; the private side of an exchange is
never made.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import trio

from actors.fleet_settings import symbols_of
from actors.fleet_stage import accounts_used
from actors.fleet_world import Venue
from actors.ports import Trading
from actors.pure.config import Config, ExchangeConfig
from actors.pure.mode_words import paper_balances
from actors.pure.money import HUNDRED
from actors.pure.paper_matching import PaperFees
from adapters.clock import SystemClock
from adapters.files import prepare_folder
from adapters.paper import PaperSettings, PaperTrading
from adapters.sqlite.store import SqliteStore


async def open_paper(
    opened: AsyncExitStack, config: Config, venues: Mapping[str, Venue], folder: Path
) -> None:
    """Give each venue the paper accounts at it to trade with; `opened` closes their files.

    Raises:
      StateUnusable: a file cannot be used, or is that of another exchange.
    """
    await trio.lowlevel.checkpoint()
    trading: dict[str, Trading] = {}
    for account in accounts_used(config).values():
        exchange = account.exchange
        venue = venues[exchange]
        store = await SqliteStore.open(
            prepare_folder(folder) / f"paper-{account.name}.db",
            identity={"mode": config.mode.value, "exchange": exchange},
        )
        opened.push_async_callback(store.close)
        settings = PaperSettings(
            exchange,
            account.name,
            symbols_of(config, account.name),
            paper_balances(config, account),
            fees_of(config.exchanges[exchange]),
        )
        trading[account.name] = PaperTrading.of(
            venue.market, venue.instruments, store, SystemClock(), settings
        )
        venue.trading = trading.__getitem__


def fees_of(exchange: ExchangeConfig) -> PaperFees:
    """Return the fees as parts of one."""
    return PaperFees(
        exchange.maker_fee_percent / HUNDRED, exchange.taker_fee_percent / HUNDRED
    )
