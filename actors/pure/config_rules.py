"""Judge a whole config: names that refer to each other, and keys that must agree."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from actors.messages import OrderType, Pair
from actors.pure.actor_paths import paths
from actors.pure.config_endpoints import ENDPOINTS, host_of
from actors.pure.config_fleet import bots_capital, refuse_unknown_exchange
from actors.pure.config_legs import judge_type
from actors.pure.config_problems import Place, dotted
from actors.pure.config_schema import NAME_PATTERN
from actors.pure.config_simulator import FaultConfig
from actors.pure.config_strategy import judge_strategy
from actors.pure.config_types import (
    AccountConfig,
    BotConfig,
    Config,
    ExchangeConfig,
    JournalConfig,
    Mode,
)
from actors.pure.money import split_symbol
from actors.pure.nearest import did_you_mean

ADDRESS_KEYS = ("url", "rest_url", "ws_api_url", "trading_rest_url")
ACCOUNT_KEYS = ("passphrase", "dead_man_s")  # that not every exchange has
TRIGGERED = (OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT)
ORDER_TYPES_OF = {
    "limit_offset_percent": (OrderType.LIMIT, OrderType.LIMIT_MAKER),
    "stop_trigger_percent": TRIGGERED,
    "stop_limit_percent": TRIGGERED,
}


def judge(config: Config, root: Place) -> None:
    """Report every rule that `config` breaks; what is already reported is left alone."""
    if not config.bots and root.is_clean("bots"):
        root.at("bots").refuse("there are none, so nothing would run: add [[bots]]")
    _judge_breaker(
        root.at("supervision"),
        threshold=config.supervision.threshold,
        max_consecutive=config.supervision.max_consecutive,
    )
    for name, exchange in config.exchanges.items():
        _judge_exchange(exchange, root.at("exchanges", name))
    _judge_accounts(config, root)
    for number, bot in enumerate(config.bots):
        _judge_bot(config, bot, root.at("bots", number))
        judge_strategy(bot, root.at("bots", number))
        judge_type(config, bot, root.at("bots", number))
    _judge_names(config.bots, root)
    _judge_quotes(config.bots, root)
    _judge_journal(config.journal, root.at("journal"))
    for number, fault in enumerate(config.simulator.faults):
        _judge_fault(fault, root.at("simulator", "faults", number))
    if config.mode is Mode.SIM and root.report.is_clean(root.path):
        _judge_crashes(config, root.at("simulator", "crash"))


def _judge_breaker(place: Place, *, threshold: int, max_consecutive: int) -> None:
    is_clean = place.is_clean("threshold", "max_consecutive")
    if is_clean and threshold > max_consecutive:
        place.at("threshold").refuse(
            f"must be at most max_consecutive, {max_consecutive}, not {threshold}"
        )


def _judge_journal(journal: JournalConfig, place: Place) -> None:
    is_clean = place.is_clean("free_mb_warn", "free_mb_safe")
    if is_clean and journal.free_mb_safe > journal.free_mb_warn:
        place.at("free_mb_safe").refuse(
            f"must be at most free_mb_warn, {journal.free_mb_warn:g},"
            f" not {journal.free_mb_safe:g}"
        )


def _judge_exchange(exchange: ExchangeConfig, place: Place) -> None:
    if exchange.name not in ENDPOINTS:
        return  # The name itself was refused.
    hosts = ENDPOINTS[exchange.name].hosts
    for key in _addresses(exchange):
        if not place.is_clean(key):
            continue
        host = host_of(getattr(exchange, key))
        if host is None:
            place.at(key).refuse(
                "must be wss:// or https:// with a host and a path and nothing else; "
                "plain ws:// or http:// only to this machine"
            )
        elif host not in hosts and not exchange.send_keys_to_this_host:
            place.at(key).refuse(
                f"{host} is not known to be {exchange.name}'s, so no key is sent to it; "
                "if it is yours, set send_keys_to_this_host = true"
            )
    if exchange.trading_rest_url and not ENDPOINTS[exchange.name].trading_rest_url:
        place.at("trading_rest_url").refuse(
            f"has no meaning at {exchange.name}, where rest_url is for all; remove it"
        )
    _judge_ca_file(exchange, place)
    reconnect = exchange.reconnect
    is_clean = place.at("reconnect").is_clean("initial_s", "max_s")
    if is_clean and reconnect.initial_s > reconnect.max_s:
        place.at("reconnect", "initial_s").refuse(
            f"must be at most max_s, {reconnect.max_s:g}, not {reconnect.initial_s:g}"
        )


def _addresses(exchange: ExchangeConfig) -> list[str]:
    """Return the keys of its addresses; few exchanges have all of them."""
    return [key for key in ADDRESS_KEYS if getattr(exchange, key)]


def _judge_ca_file(exchange: ExchangeConfig, place: Place) -> None:
    """Let nobody but this machine's authorities vouch for the exchange itself (S-9)."""
    own = ENDPOINTS[exchange.name].hosts
    hosts = {key: host_of(getattr(exchange, key)) for key in _addresses(exchange)}
    its = next((key for key, host in hosts.items() if host in own), None)
    if exchange.ca_file is not None and its is not None and place.is_clean("ca_file"):
        place.at("ca_file").refuse(
            f"{its} is {exchange.name} itself ({hosts[its]}), which needs none: remove it, "
            f"or give another {its}"
        )


def _judge_accounts(config: Config, root: Place) -> None:
    capitals = bots_capital(config.bots)
    users: dict[str, str] = {}
    for name, account in config.accounts.items():
        place = root.at("accounts", name)
        if place.is_clean("exchange") and account.exchange not in config.exchanges:
            refuse_unknown_exchange(account.exchange, place.at("exchange"))
        for key, reference in (("key", account.key), ("secret", account.secret)):
            if reference is None and config.mode is Mode.LIVE and place.is_clean(key):
                place.at(key).refuse('missing; mode "live" needs it, like "env:NAME"')
        if account.key is not None and account.key in users:
            other = dotted(("accounts", users[account.key], "key"))
            place.at("key").refuse(f"is also {other}; one key, one account")
        elif account.key is not None:
            users[account.key] = name
        _judge_account_keys(account, place)
        _judge_owner(config, account, place)
        _judge_capital(account, capitals.get(name, Decimal(0)), place)


def _judge_account_keys(account: AccountConfig, place: Place) -> None:
    """Refuse what other exchanges' accounts have."""
    if account.exchange not in ENDPOINTS:
        return  # The name itself was refused.
    its = ENDPOINTS[account.exchange].account_keys
    for key in ACCOUNT_KEYS:
        if _is_given(place, key) and key not in its and place.is_clean(key):
            place.at(key).refuse(f"has no meaning at {account.exchange}; remove it")


def _judge_owner(config: Config, account: AccountConfig, place: Place) -> None:
    """Refuse what cannot name a group, its actors and a folder, where owners have them."""
    is_name = re.fullmatch(NAME_PATTERN, account.owner)
    others = {each.owner for each in config.accounts.values()} - {account.owner}
    if others and not is_name and place.is_clean("owner"):
        place.at("owner").refuse(
            "with several owners each has a group and a folder of that name, so it must be"
            f" 1 to 32 characters of a-z, 0-9 and -, not {account.owner!r}"
        )


def _judge_capital(account: AccountConfig, given: Decimal, place: Place) -> None:
    if place.is_clean("capital") and account.capital < given:
        place.at("capital").refuse(
            f"must be at least the {given} that its bots are given, not {account.capital}"
        )


def _judge_bot(config: Config, bot: BotConfig, place: Place) -> None:
    if place.is_clean("account") and bot.account not in config.accounts:
        named_well = [one for one in config.accounts if re.fullmatch(NAME_PATTERN, one)]
        near = did_you_mean(bot.account, named_well)
        place.at("account").refuse(f'unknown account "{bot.account}"{near}')
    if _is_given(place, "threshold") or _is_given(place, "max_consecutive"):
        _judge_breaker(place, threshold=bot.threshold, max_consecutive=bot.max_consecutive)
    for key, orders in ORDER_TYPES_OF.items():
        if (
            _is_given(place, key)
            and place.is_clean("order", key)
            and bot.order not in orders
        ):
            wanted = " or ".join(f'"{order.value}"' for order in orders)
            place.at(key).refuse(
                f'has no meaning with order = "{bot.order.value}"; remove it, or set '
                f"order = {wanted}"
            )
    if bot.account in config.accounts:
        _judge_simulated(config, config.pair_of(bot), place.at("symbol"))
    _judge_timeframes(bot, place)
    for number, pair in enumerate(bot.reads if place.is_clean("reads") else ()):
        _judge_read(config, bot, pair, place.at("reads", number))


def _judge_timeframes(bot: BotConfig, place: Place) -> None:
    is_clean = place.is_clean("timeframes") and place.is_clean("timeframe")
    if is_clean and bot.timeframe in bot.timeframes:
        number = bot.timeframes.index(bot.timeframe)
        text = f'"{bot.timeframe}" is its timeframe, and seen anyway; remove it'
        place.at("timeframes", number).refuse(text)


def _judge_read(config: Config, bot: BotConfig, pair: Pair, place: Place) -> None:
    account = config.accounts.get(bot.account)
    if pair.exchange not in config.exchanges:
        refuse_unknown_exchange(pair.exchange, place)
    elif account is not None and pair == Pair(account.exchange, bot.symbol):
        place.refuse(f"{pair} is what it trades, and sees anyway; remove it")
    else:
        _judge_simulated(config, pair, place)


def _judge_simulated(config: Config, pair: Pair, place: Place) -> None:
    """Refuse a symbol that the simulated exchange does not trade."""
    has_own = config.simulator.exchanges.get(pair.exchange)
    is_own = has_own is not None and has_own.prices is not None
    key = f"exchanges.{pair.exchange}.prices" if is_own else "prices"
    prices = config.simulator.of(pair.exchange).prices
    is_clean = place.report.is_clean(place.path, ("simulator", *key.split(".")))
    if config.mode is Mode.SIM and is_clean and pair.symbol not in prices:
        near = did_you_mean(pair.symbol, prices)
        place.refuse(f'"{pair.symbol}" is not in simulator.{key}{near}')


def _judge_fault(fault: FaultConfig, place: Place) -> None:
    has_begin = fault.at_s is not None or fault.every_s or fault.after_orders
    if not has_begin and place.is_clean("at_s", "every_s", "after_orders"):
        place.refuse("never begins: give at_s, every_s or after_orders")


def _judge_crashes(config: Config, place: Place) -> None:
    """Refuse an actor that this fleet does not have; the rest of the file is good."""
    known = paths(config)
    names = [path.rpartition("/")[2] for path in known]
    for number, crash in enumerate(config.simulator.crash):
        if crash.actor not in {*known, *names}:
            near = did_you_mean(crash.actor, names)
            place.at(number, "actor").refuse(f'no actor is called "{crash.actor}"{near}')


def _is_given(place: Place, key: str) -> bool:
    return (*place.path, key) in place.report.lines.by_path


def _judge_names(bots: Iterable[BotConfig], root: Place) -> None:
    first: dict[str, int] = {}
    for number, bot in enumerate(bots):
        place = root.at("bots", number)
        if not place.is_clean("name"):
            continue
        if bot.name in first:
            place.at("name").refuse(
                f'"{bot.name}" is also the name of bots[{first[bot.name]}]'
            )
        first.setdefault(bot.name, number)


def _judge_quotes(bots: Iterable[BotConfig], root: Place) -> None:
    """Refuse a second quote asset on one account, whose limits are sums in the first."""
    first: dict[str, BotConfig] = {}
    for number, bot in enumerate(bots):
        place = root.at("bots", number)
        if not place.is_clean("account", "symbol"):
            continue
        other = first.setdefault(bot.account, bot)
        quote, others = split_symbol(bot.symbol)[1], split_symbol(other.symbol)[1]
        if quote != others:
            place.at("symbol").refuse(
                f"is paid in {quote}, and {other.name} on the same account in {others}; an"
                " account counts in one quote asset, so give this bot an account of its own"
            )
