"""Judge the bots that trade in pairs: an arbitrage, and the leg it names. Pure."""

from __future__ import annotations

from decimal import Decimal

from actors.pure.config_problems import Place
from actors.pure.config_types import BotConfig, Config
from actors.pure.nearest import did_you_mean

TRADING_ONLY = (
    "strategy",
    "params",
    "reads",
    "timeframe",
    "timeframes",
    "flow_s",
    "book",
    "order",
    "evaluate_s",
)
PAIR_ONLY = ("inventory_percent",)
ARBITRAGE_ONLY = ("other", "profit_percent")


def judge_type(config: Config, bot: BotConfig, place: Place) -> None:
    """Report keys that this type of bot has not, and legs that do not fit."""
    allowed = {
        "trading": TRADING_ONLY,
        "leg": PAIR_ONLY,
        "arbitrage": (*PAIR_ONLY, *ARBITRAGE_ONLY),
    }[bot.type]
    for key in (*TRADING_ONLY, *PAIR_ONLY, *ARBITRAGE_ONLY):
        is_given = (*place.path, key) in place.report.lines.by_path
        if is_given and key not in allowed and place.is_clean("type", key):
            place.at(key).refuse(f'has no meaning with type = "{bot.type}"; remove it')
    if bot.type == "trading" and not bot.strategy and place.is_clean("strategy"):
        text = 'missing; must be the name of a strategy, or "module:Class"'
        place.at("strategy").refuse(text)
    _judge_percents(bot, place)
    if bot.type == "leg":
        _judge_leg(config, bot, place)
    if bot.type == "arbitrage":
        _judge_arbitrage(config, bot, place)


def _judge_percents(bot: BotConfig, place: Place) -> None:
    both = bot.inventory_percent + bot.position_percent
    if bot.type != "trading" and both > Decimal(100) and place.is_clean("position_percent"):
        place.at("inventory_percent").refuse(
            f"with position_percent it is {both:f} % of capital, which is more than all"
        )


def _judge_leg(config: Config, leg: BotConfig, place: Place) -> None:
    users = [
        bot for bot in config.bots if bot.type == "arbitrage" and bot.other == leg.name
    ]
    if len(users) != 1 and place.is_clean("name", "type"):
        found = " and ".join(bot.name for bot in users) or "none does"
        place.at("name").refuse(f"one arbitrage must name it as `other`: {found}")


def _judge_arbitrage(config: Config, bot: BotConfig, place: Place) -> None:
    legs = {each.name: each for each in config.bots if each.type == "leg"}
    leg = legs.get(bot.other)
    if leg is None:
        if place.is_clean("other"):
            near = did_you_mean(bot.other, legs) if legs else ""
            place.at("other").refuse(f'must be the name of a bot of type "leg"{near}')
        return
    here, there = (config.accounts.get(each.account) for each in (bot, leg))
    if here is None or there is None:
        return
    if here.exchange == there.exchange:
        place.at("other").refuse(f"{leg.name} is on {there.exchange}, too: nothing to earn")
    if here.owner != there.owner:
        place.at("other").refuse(
            f"{leg.name} is {there.owner}'s, and this is {here.owner}'s"
        )
    if bot.symbol != leg.symbol:
        place.at("other").refuse(f"{leg.name} trades {leg.symbol}, not {bot.symbol}")
    if bot.profit_percent is None and place.is_clean("profit_percent"):
        place.at("profit_percent").refuse("missing; must be a percentage")
