"""Every key of `[exchanges.NAME]`: what it may be and what it means."""

from __future__ import annotations

from actors.messages import Channel
from actors.pure.config_kinds import Number, Text, Truth, Whole, members
from actors.pure.config_read import Key, Table
from actors.pure.config_schema import PERCENT_OR_0, RATIO, SECONDS_OR_0, seconds
from actors.pure.config_types import ExchangeConfig, MarketSocket, SilenceConfig
from actors.pure.reconnect import ReconnectPolicy

RECONNECT = Table(
    ReconnectPolicy,
    {
        "attempts": Key(Whole(1, 1000), "Tries per disconnect; then the feed crashes."),
        "initial_s": seconds("Wait before the first try."),
        "max_s": seconds("Longest wait."),
        "multiplier": Key(
            Number("1", "100", is_float=True, is_least_allowed=True),
            "How much longer each wait is than the one before.",
        ),
        "jitter": Key(RATIO, "Part of a wait that is random: 0.1 is ±10 %, 1 is full."),
        "healthy_s": seconds("Time connected after which the tries count from 0 again."),
    },
)

SILENCE = Table(
    SilenceConfig,
    {
        channel.value: seconds(
            f"Longest silence of a {channel.value} stream before its feed reconnects; "
            "0 is for ever.",
            SECONDS_OR_0,
        )
        for channel in Channel
    },
)

_ADDRESS = "the exchange's own"
_FEES = "what its smallest customers pay"

EXCHANGE = Table(
    ExchangeConfig,
    {
        "url": Key(
            Text(r"wss?://[ -~]{1,300}", "a WebSocket address, wss://host/path"),
            "Market data. The addresses are not used in mode sim.",
            default_words=_ADDRESS,
        ),
        "rest_url": Key(
            Text(r"https?://[ -~]{1,300}", "a web address, https://host"),
            "REST.",
            default_words=_ADDRESS,
        ),
        "ws_api_url": Key(
            Text(r"wss?://[ -~]{1,300}", "a WebSocket address, wss://host/path"),
            "Orders and the private stream.",
            default_words=_ADDRESS,
        ),
        "trading_rest_url": Key(
            Text(r"https?://[ -~]{1,300}", "a web address, https://host"),
            "REST of orders and balances, at Coinbase; elsewhere `rest_url` is for all.",
            default_words=_ADDRESS,
        ),
        "send_keys_to_this_host": Key(
            Truth(), "Allow addresses whose host is not known to be the exchange's."
        ),
        "ca_file": Key(
            Text(r"[^\x00-\x1f]{1,1000}", "the path of a PEM file"),
            "The one authority that vouches for these addresses, none of which may be the "
            "exchange's own; a path is taken from the folder of this file.",
            default_words="this machine's authorities",
        ),
        "market_socket": Key(
            members(MarketSocket),
            "The library that reads public market data; the first reads several times as "
            "many prices a second. Private streams and orders use the second.",
        ),
        "reconnect": Key(RECONNECT, "How a lost connection is tried again."),
        "connect_s": seconds("Longest time to connect."),
        "ping_s": seconds("Time between our pings."),
        "pong_s": seconds("Longest wait for a pong; then the connection is dropped."),
        "proof_s": seconds("Longest wait for the first datum of a subscription."),
        "silence_s": Key(SILENCE, "Longest silence, by channel."),
        "fallback_after_s": seconds("Silence after which prices are asked for by REST."),
        "poll_s": seconds("Time between such requests for one symbol."),
        "maker_fee_percent": Key(
            PERCENT_OR_0,
            "In mode `paper`: the fee of an order that rested.",
            "%",
            _FEES,
        ),
        "taker_fee_percent": Key(
            PERCENT_OR_0,
            "In mode `paper`: the fee of an order that was executed at once.",
            "%",
            _FEES,
        ),
        "clock_offset_ms_max": Key(
            Whole(1, 3_600_000),
            "Nothing is entered while this machine's clock is further from the exchange's.",
            "ms",
        ),
        "clock_uncertainty_ms_max": Key(
            Whole(1, 60_000),
            "Nothing is entered while its time is not known better, half a round trip.",
            "ms",
        ),
    },
)
