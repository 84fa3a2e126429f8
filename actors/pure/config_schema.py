"""Every key of `bots.toml`: what it may be and what it means.

Defaults stand in the types; `docs/configuration.md` is printed from both.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from actors.messages import OrderType
from actors.pure.config_kinds import (
    AnyTable,
    Choice,
    Kind,
    Number,
    NumberBy,
    SecretReference,
    Text,
    Truth,
    Whole,
    WordOr,
    members,
)
from actors.pure.config_lists import Several
from actors.pure.config_pairs import Pairs
from actors.pure.config_read import Key, Table
from actors.pure.config_types import (
    AccountConfig,
    BotConfig,
    JournalConfig,
    Mode,
    RiskConfig,
    SupervisionConfig,
)

NAME_PATTERN = r"[a-z0-9-]{1,32}"
NAME = Text(NAME_PATTERN, "1 to 32 characters of a-z, 0-9 and -")
SYMBOL_PATTERN = r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}"
PAIR_PATTERN = rf"[a-z]{{1,32}}:{SYMBOL_PATTERN}"
SYMBOL = Text(SYMBOL_PATTERN, "a symbol as BASE/QUOTE, in capitals")
MINUTES, HOURS = ("1m", "3m", "5m", "15m", "30m"), ("1h", "2h", "4h", "6h", "8h", "12h")
TIMEFRAMES = ("1s", *MINUTES, *HOURS, "1d", "3d", "1w")  # WIRE 2: kline intervals

SECONDS = Number("0", "86400", "a number of seconds", is_float=True)
SECONDS_OR_0 = Number(
    "0", "86400", "a number of seconds", is_float=True, is_least_allowed=True
)
MONEY = Number("0", "1000000000000")
PERCENT = Number("0", "100", "a percentage")
PERCENT_PART = Number("0", "100", "a percentage", is_most_allowed=False)
PERCENT_OR_0 = Number(
    "0", "100", "a percentage", is_least_allowed=True, is_most_allowed=False
)
GAIN_PERCENT = Number("0", "10000", "a percentage")
MEGABYTES = Number(
    "0", "1000000", "a number of megabytes", is_float=True, is_least_allowed=True
)
RATIO = Number("0", "1", is_float=True, is_least_allowed=True)


def seconds(meaning: str, kind: Kind = SECONDS) -> Key:
    return Key(kind, meaning, "s")


SUPERVISION_KEYS: Mapping[str, Key] = {
    "circuit_breaker": Key(
        Truth(), "Open a circuit after `threshold` failures; false: only back off."
    ),
    "threshold": Key(Whole(1, 1000), "Failures in a row that open the circuit."),
    "reset_s": seconds("How long an open circuit waits before its one try."),
    "max_consecutive": Key(Whole(1, 1000), "Failures in a row after which it is FAILED."),
}

SUPERVISION = Table(SupervisionConfig, SUPERVISION_KEYS)

CAP_KEYS: Mapping[str, Key] = {
    "orders_per_minute_max": Key(
        Whole(1, 10_000),
        "One more order of a bot within a minute halts it until `shoal resume`.",
    ),
    "daily_turnover_quote_max": Key(
        MONEY,
        "A bot that would buy and sell for more in one UTC day is halted for that day.",
        "quote",
        "1,000 times its capital",
    ),
    "daily_fees_quote_max": Key(
        MONEY,
        "A bot that has paid so much in one UTC day is halted for that day. Fees in a "
        "third asset are not counted.",
        "quote",
        "half of its capital",
    ),
}

RISK = Table(
    RiskConfig,
    {
        "exposure_percent_max": Key(
            PERCENT, "Most of the account's capital in positions and open orders.", "%"
        ),
        "daily_loss_percent_max": Key(
            PERCENT, "Loss of one day, of the account's capital, that halts entries.", "%"
        ),
        "positions_max": Key(Whole(1, 100_000), "Most positions open at once."),
        "order_quote_max": Key(MONEY, "Largest single order.", "quote"),
        "price_age_s_max": seconds("Entries at an older price are refused."),
        **CAP_KEYS,
    },
)

ACCOUNT = Table(
    AccountConfig,
    {
        "owner": Key(Text(r"[^\x00-\x1f]{1,100}", "a text"), "Whose it is."),
        "exchange": Key(NAME, "Where it is: a name of `[exchanges]`."),
        "key": Key(SecretReference(), "The API key, by reference; live needs one."),
        "secret": Key(SecretReference(), "The API secret or private key, by reference."),
        "passphrase": Key(
            SecretReference(),
            "At Coinbase: of a key of Coinbase Exchange, by reference. Without one the key "
            "is one of Advanced Trade.",
        ),
        "dead_man_s": Key(
            Number("10", "3600", "a number of seconds", is_float=True),
            "At Kraken: it cancels every order of the account, the resting stops as well, "
            "when nobody has told it to wait for so long.",
            "s",
            "off",
        ),
        "capital": Key(
            MONEY,
            "What percentages of the account are taken of.",
            "quote",
            "the sum of its bots' capital",
        ),
        "paper_balances": Key(
            NumberBy(r"[A-Z0-9]{1,20}", "an asset, in capitals", MONEY),
            "In mode `paper`: what a new account begins with, by asset.",
            default_words="its bots' capital",
        ),
        "risk": Key(RISK, "The account's limits."),
    },
)

BOT = Table(
    BotConfig,
    {
        "name": Key(NAME, "Its name, in logs and commands."),
        "type": Key(
            Choice(("trading", "arbitrage", "leg")),
            "What kind of bot it is; for the last two see docs/arbitrage.md.",
        ),
        "account": Key(NAME, "A name of `[accounts]`."),
        "symbol": Key(
            SYMBOL,
            "What it trades; all bots of an account in one quote asset, since its limits "
            "are sums in it.",
        ),
        "reads": Key(
            Pairs(PAIR_PATTERN),
            "What its strategy sees besides, each as `EXCHANGE:BASE/QUOTE`; no account is "
            "needed there.",
            default_words="nothing",
        ),
        "strategy": Key(
            Text(
                r"[a-z0-9_]{1,64}|[A-Za-z_][A-Za-z0-9_.]{0,99}:[A-Za-z_][A-Za-z0-9_]{0,99}",
                'the name of a strategy, or "module:Class"',
            ),
            "A built-in strategy, or one of yours as `module:Class`.",
            default_words="must be given of a trading bot",
        ),
        "params": Key(
            AnyTable(), "The strategy's own settings.", default_words="the strategy's"
        ),
        "timeframe": Key(Choice(TIMEFRAMES), "Length of the strategy's candles."),
        "timeframes": Key(
            Several(Choice(TIMEFRAMES), 8),
            "Other lengths of candles that its strategy sees, of the same symbol.",
            default_words="none",
        ),
        "flow_s": Key(
            Several(Whole(1, 3600), 4),
            "Windows in which its strategy sees what was bought and sold.",
            "s",
            default_words="none",
        ),
        "book": Key(
            Truth(),
            "Whether its strategy sees the order books of what it trades and reads.",
        ),
        "capital": Key(MONEY, "What it may trade with.", "quote"),
        "position_percent": Key(PERCENT, "Part of its capital in one position.", "%"),
        "other": Key(NAME, "Of an arbitrage: the bot of its other leg."),
        "profit_percent": Key(
            GAIN_PERCENT,
            "Of an arbitrage: what it wants to earn after fees, of the price it buys at.",
            "%",
            "must be given of an arbitrage",
        ),
        "inventory_percent": Key(
            PERCENT_OR_0,
            "Of an arbitrage and its leg: part of its capital that is bought once, to sell "
            "from.",
            "%",
        ),
        "order": Key(members(OrderType), "The type of its orders."),
        "limit_offset_percent": Key(
            PERCENT_OR_0,
            "With `limit` and `limit_maker`: how far below the live price it buys.",
            "%",
        ),
        "stop_trigger_percent": Key(
            PERCENT_PART,
            "The trigger: with `stop_loss_limit` above the live price, with"
            " `take_profit_limit` below it.",
            "%",
        ),
        "stop_limit_percent": Key(
            PERCENT_OR_0,
            "With a trigger: the limit price, this far above the trigger.",
            "%",
        ),
        "stop_loss_percent": Key(PERCENT_PART, "Exit this far below the entry.", "%"),
        "take_profit_percent": Key(GAIN_PERCENT, "Exit this far above the entry.", "%"),
        "trailing_stop_percent": Key(
            PERCENT_PART, "Exit this far below the highest price since the entry.", "%"
        ),
        "protective_stop": Key(
            Truth(), "Let the stop rest at the exchange too; false: it works only here."
        ),
        "protective_limit_percent": Key(
            PERCENT_PART, "The resting stop's limit price, this far below its trigger.", "%"
        ),
        "exit_wait_s": seconds(
            "How long an exit, or a stop that was hit, may take before it is replaced."
        ),
        "evaluate_s": Key(
            WordOr(Choice(("tick", "candle")), SECONDS),
            "When the strategy is asked: each so many seconds, on each price or candle.",
            "s",
        ),
        "check_s": seconds("How often its position is checked, besides on every price."),
        "enabled": Key(Truth(), "false: it is listed, and waits for `shoal start`."),
        **{
            name: attrs.evolve(key, default_words="as in its account's `risk`")
            for name, key in CAP_KEYS.items()
        },
        **{
            name: attrs.evolve(key, default_words="as in `[supervision]`")
            for name, key in SUPERVISION_KEYS.items()
        },
    },
)

JOURNAL = Table(
    JournalConfig,
    {
        "price_every_s": seconds("How often the price a bot sees is recorded."),
        "free_mb_warn": Key(
            MEGABYTES, "Room on the ledger's disk below which people are warned.", "MB"
        ),
        "free_mb_safe": Key(
            MEGABYTES, "Room below which nothing new is begun: exits only.", "MB"
        ),
    },
)

MODE = members(Mode)
STATE = Text(r"[^\x00-\x1f]{1,1000}", "the path of a folder")
