"""Say in one line what a config will run (R-38, R-45). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from actors.pure.config_types import AccountConfig, Config
from actors.pure.owners import bots_of, owners_by_account, owners_of


def summary(config: Config) -> str:
    """Return `mode sim, 1 exchange, 1 account, 4 bots on 2 symbols`, owners, the limit."""
    used = {account.exchange for account in config.accounts.values()}
    used |= {pair.exchange for bot in config.bots for pair in bot.reads}
    symbols = {config.pair_of(bot) for bot in config.bots}
    waiting = sum(not bot.enabled for bot in config.bots)
    bots = count(len(config.bots), "bot") + (f" ({waiting} disabled)" if waiting else "")
    return ", ".join(
        (
            f"mode {config.mode.value}",
            count(len(used), "exchange"),
            count(len(config.accounts), "account"),
            f"{bots} on {count(len(symbols), 'symbol')}",
            *_owners(config),
            halt(config.accounts.values()),
        )
    )


def _owners(config: Config) -> list[str]:
    """Return `2 owners, each alone: ann with main, 2 bots; …`, or nothing for one owner."""
    accounts = owners_by_account(config)
    told = [
        f"{owner} with {' and '.join(name for name in accounts if accounts[name] == owner)}"
        f" ({count(len(bots_of(config, owner)), 'bot')})"
        for owner in owners_of(config)
    ]
    return [f"{len(told)} owners apart: {'; '.join(told)}"] if told else []


def halt(accounts: Iterable[AccountConfig]) -> str:
    """Return at which loss it halts; with several accounts, the loss and name of each."""
    limits = {one.name: one.risk.daily_loss_percent_max for one in accounts}
    losses = {name: _loss(limit) for name, limit in limits.items() if limit is not None}
    if not losses:
        return "no daily loss limit"
    if len(limits) == 1:
        return f"will halt at {losses.popitem()[1]}"
    return "will halt at " + ", ".join(f"{loss} ({name})" for name, loss in losses.items())


def _loss(percent: Decimal) -> str:
    text = f"{percent:f}"
    return f"\N{MINUS SIGN}{text if '.' in text else f'{text}.0'} %"


def count(number: int, noun: str) -> str:
    """Return `1 bot` or `4 bots`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
