"""Translate what `bots.toml` says into what each actor is told."""

from __future__ import annotations

import hashlib
from decimal import Decimal

from actors.messages import Protection
from actors.pure.arbitrage import ArbitrageSettings, LegSettings
from actors.pure.bot_wishes import BotSettings
from actors.pure.breaker import Exhaustion, Policy
from actors.pure.caps import Caps
from actors.pure.clock_trust import ClockLimits
from actors.pure.config import BotConfig, Config, Mode
from actors.pure.config_types import RiskConfig, SupervisionConfig
from actors.pure.guard_steps import Ward
from actors.pure.ledger_health import SpaceLimits
from actors.pure.money import percent_of
from actors.pure.risk_rules import Limits

TURNOVER_TIMES = 1_000  # of a bot's capital in a day, where nothing else is said
FEES_PERCENT = Decimal(50)


def policy(numbers: SupervisionConfig, on_exhausted: Exhaustion) -> Policy:
    """Return the circuit breaker's policy with the numbers people may set."""
    return Policy(
        circuit_breaker=numbers.circuit_breaker,
        threshold=numbers.threshold,
        reset_s=numbers.reset_s,
        max_consecutive=numbers.max_consecutive,
        on_exhausted=on_exhausted,
    )


def bot_policy(bot: BotConfig) -> Policy:
    """Return a bot's policy: exhausted, it is stopped."""
    return policy(bot.supervision, "stop")


def bot_settings(config: Config, bot: BotConfig) -> BotSettings:
    """Return what one bot is told to do."""
    account = config.accounts[bot.account]
    return BotSettings(
        name=bot.name,
        account=bot.account,
        exchange=account.exchange,
        symbol=bot.symbol,
        strategy=bot.strategy,
        capital=bot.capital,
        position_percent=bot.position_percent,
        reads=bot.reads,
        timeframe=bot.timeframe,
        timeframes=bot.timeframes,
        flow_s=bot.flow_s,
        has_book=bot.book,
        order=bot.order,
        limit_offset_percent=bot.limit_offset_percent,
        stop_trigger_percent=bot.stop_trigger_percent,
        stop_limit_percent=bot.stop_limit_percent,
        protection=protection_of(bot),
        evaluate_s=bot.evaluate_s,
        price_age_s_max=account.risk.price_age_s_max,
        price_every_s=config.journal.price_every_s,
    )


def arbitrage_settings(config: Config, bot: BotConfig) -> ArbitrageSettings:
    """Return what one arbitrage is told to do."""
    first, second = (_leg(config, each) for each in (bot, config.bot(bot.other)))
    ages = [config.accounts[leg.account].risk.price_age_s_max for leg in (first, second)]
    return ArbitrageSettings(
        legs=(first, second),
        profit_percent=bot.profit_percent or Decimal(0),
        price_age_s_max=min(ages),
    )


def _leg(config: Config, bot: BotConfig) -> LegSettings:
    exchange = config.exchange_of(bot)
    return LegSettings(
        bot=bot.name,
        account=bot.account,
        exchange=exchange.name,
        symbol=bot.symbol,
        capital=bot.capital,
        position_percent=bot.position_percent,
        inventory_percent=bot.inventory_percent,
        fee_percent=exchange.taker_fee_percent,
    )


def wards_of(config: Config, account: str) -> dict[str, Ward]:
    """Return what guards the position of each bot on one account."""
    exchange = config.accounts[account].exchange
    return {
        bot.name: Ward(
            bot.name,
            account,
            exchange,
            bot.symbol,
            protection_of(bot),
            bot.check_s,
            bot.exit_wait_s,
            bot.protective_limit_percent if bot.protective_stop else None,
        )
        for bot in config.bots_of(account)
    }


def protection_of(bot: BotConfig) -> Protection:
    """Return what the bot's owner wants guarded."""
    return Protection(
        bot.stop_loss_percent, bot.take_profit_percent, bot.trailing_stop_percent
    )


def limits_of(config: Config, account: str) -> Limits:
    """Return the limits of one account and of the bots on it."""
    settings = config.accounts[account]
    return Limits(
        capital=settings.capital,
        allocations={bot.name: bot.capital for bot in config.bots_of(account)},
        exposure_percent_max=settings.risk.exposure_percent_max,
        daily_loss_percent_max=settings.risk.daily_loss_percent_max,
        positions_max=settings.risk.positions_max,
        order_quote_max=settings.risk.order_quote_max,
        caps={bot.name: caps_of(settings.risk, bot) for bot in config.bots_of(account)},
        price_age_s_max=settings.risk.price_age_s_max,
    )


def clock_limits(config: Config) -> dict[str, ClockLimits]:
    """Return what may be wrong with the time of each exchange."""
    return {
        name: ClockLimits(each.clock_offset_ms_max, each.clock_uncertainty_ms_max)
        for name, each in config.exchanges.items()
    }


def caps_of(risk: RiskConfig, bot: BotConfig) -> Caps:
    """Return one bot's hard caps: its own, its account's, or what no sound bot meets."""
    turnover = bot.daily_turnover_quote_max or risk.daily_turnover_quote_max
    fees = bot.daily_fees_quote_max or risk.daily_fees_quote_max
    return Caps(
        bot.orders_per_minute_max or risk.orders_per_minute_max,
        turnover or bot.capital * TURNOVER_TIMES,
        fees or percent_of(bot.capital, FEES_PERCENT),
    )


def space_limits(config: Config) -> SpaceLimits:
    """Return how much room the disk under the ledger must have."""
    return SpaceLimits(config.journal.free_mb_warn, config.journal.free_mb_safe)


def symbols_of(config: Config, account: str) -> frozenset[str]:
    """Return the symbols traded on one account."""
    return frozenset(bot.symbol for bot in config.bots_of(account))


def fingerprint(exchange: str, mode: Mode, key: str) -> str:
    """Return what tells one account from every other without telling its key."""
    text = f"{mode.value}/{exchange}/{key}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
