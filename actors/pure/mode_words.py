"""Say at the start what a mode means for each account (R-44, S-15). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from actors.pure.config import AccountConfig, Config, Mode
from actors.pure.money import ZERO, plain, split_symbol


def mode_words(config: Config, tags: Mapping[str, str]) -> dict[str, str]:
    """Return a line for each account that trades; `tags` are of their client order ids."""
    match config.mode:
        case Mode.SIM:
            return {}
        case Mode.PAPER:
            return {name: _paper(config, config.accounts[name]) for name in tags}
        case Mode.LIVE:
            return {
                name: f"LIVE · client order ids begin with {tag}"
                for name, tag in tags.items()
            }


def paper_balances(config: Config, account: AccountConfig) -> Mapping[str, Decimal]:
    """Return what a new paper account begins with: as told, or the capital of its bots."""
    if account.paper_balances:
        return account.paper_balances
    found: dict[str, Decimal] = {}
    for bot in config.bots_of(account.name):
        _, quote = split_symbol(bot.symbol)
        found[quote] = found.get(quote, ZERO) + bot.capital
    return found


def _paper(config: Config, account: AccountConfig) -> str:
    exchange = config.exchanges[account.exchange]
    held = " and ".join(
        f"{plain(amount)} {asset}"
        for asset, amount in paper_balances(config, account).items()
    )
    keys = "; its key and secret are not read" if account.key or account.secret else ""
    return (
        f"no order leaves this machine · a new account begins with {held} · fees"
        f" {plain(exchange.maker_fee_percent)} % maker,"
        f" {plain(exchange.taker_fee_percent)} % taker{keys}"
    )
