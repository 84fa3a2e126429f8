"""Which requests Coinbase takes, by Exchange and by Advanced Trade, and what each costs.

Source: WIRE 3.6, 3.7 and 3.12.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

import attrs

from adapters.simulator import coinbase_advanced_edit as editing
from adapters.simulator import coinbase_advanced_private as advanced_private
from adapters.simulator import coinbase_advanced_public as advanced_public
from adapters.simulator import coinbase_private as private
from adapters.simulator import coinbase_public as public
from adapters.simulator.coinbase_asked import Asked
from adapters.simulator.coinbase_dialect import CoinbaseDialect

Answer = Callable[[CoinbaseDialect, Asked], object]
ADVANCED: Final = "/api/v3/brokerage"


@attrs.frozen
class Endpoint:
    """One request. `is_order` marks those whose acknowledgement faults may take."""

    method: str
    pattern: re.Pattern[str]
    answer: Answer
    rate: str  # what it counts towards
    is_order: bool = False

    @property
    def is_signed(self) -> bool:
        return self.rate not in {"public", "advanced_public"}

    @property
    def is_advanced(self) -> bool:
        return self.rate.startswith("advanced")


def _endpoints(
    rate: str, rows: Iterable[tuple[str, str, Answer]], prefix: str = ""
) -> list[Endpoint]:
    """Return endpoints; `{}` in a path stands for one part of it."""
    return [
        Endpoint(
            method,
            re.compile((prefix + path).replace("{}", "([^/]+)")),
            answer,
            rate,
            is_order=method in {"POST", "DELETE"} and "preview" not in path,
        )
        for method, path, answer in rows
    ]


_PUBLIC: Final = (
    ("GET", "/time", public.server_time),
    ("GET", "/products", public.products),
    ("GET", "/products/spark-lines", public.spark_lines),
    ("GET", "/products/{}", public.product),
    ("GET", "/products/{}/ticker", public.ticker),
    ("GET", "/products/{}/stats", public.stats),
    ("GET", "/products/{}/book", public.book),
    ("GET", "/products/{}/trades", public.trades),
    ("GET", "/products/{}/candles", public.candles),
    ("GET", "/currencies", public.currencies),
    ("GET", "/currencies/{}", public.currency),
)
_PRIVATE: Final = (
    ("POST", "/orders", private.place),
    ("GET", "/orders", private.orders),
    ("DELETE", "/orders", private.cancel_all),
    ("GET", "/orders/{}", private.query),
    ("DELETE", "/orders/{}", private.cancel),
    ("GET", "/accounts", private.accounts),
    ("GET", "/accounts/{}", private.account),
    ("GET", "/fees", private.fees),
    ("GET", "/users/self/verify", private.verify),
)
_MARKET: Final = (
    ("GET", "/products", advanced_public.products),
    ("GET", "/products/{}", advanced_public.product),
    ("GET", "/products/{}/candles", advanced_public.candles),
    ("GET", "/products/{}/ticker", advanced_public.trades),
    ("GET", "/product_book", advanced_public.product_book),
)
_OLD: Final = (
    ("GET", "/v2/time", advanced_public.old_time),
    ("GET", "/v2/currencies", advanced_public.fiats),
    ("GET", "/v2/currencies/crypto", advanced_public.cryptos),
    ("GET", "/v2/exchange-rates", advanced_public.rates),
)
_ADVANCED: Final = (
    ("GET", "/best_bid_ask", advanced_public.best_bid_ask),
    ("POST", "/orders", advanced_private.place),
    ("POST", "/orders/preview", advanced_private.preview),
    ("POST", "/orders/edit", editing.edit),
    ("POST", "/orders/batch_cancel", advanced_private.cancel),
    ("GET", "/orders/historical/batch", advanced_private.orders),
    ("GET", "/orders/historical/fills", advanced_private.fills),
    ("GET", "/orders/historical/{}", advanced_private.order),
    ("GET", "/accounts", advanced_private.accounts),
    ("GET", "/accounts/{}", advanced_private.account),
    ("GET", "/transaction_summary", advanced_private.summary),
    ("GET", "/key_permissions", advanced_private.permissions),
    ("GET", "/portfolios", advanced_private.portfolios),
)
_OLD_SIGNED: Final = (("GET", "/v2/accounts", advanced_private.old_accounts),)
ENDPOINTS: Final = (
    *_endpoints("public", _PUBLIC),
    *_endpoints("private", _PRIVATE),
    *_endpoints("fills", (("GET", "/fills", private.fills),)),
    *_endpoints("advanced_public", _OLD),
    *_endpoints("advanced_private", _OLD_SIGNED),
    *_endpoints(
        "advanced_public", (("GET", "/time", advanced_public.server_time),), ADVANCED
    ),
    *_endpoints("advanced_public", _MARKET, f"{ADVANCED}/market"),
    *_endpoints("advanced_private", _MARKET, ADVANCED),
    *_endpoints("advanced_private", _ADVANCED, ADVANCED),
)


def found(method: str, path: str) -> tuple[Endpoint, tuple[str, ...]] | None:
    """Return what a request asks for, and the parts that its path leaves open."""
    for endpoint in ENDPOINTS:
        match = endpoint.pattern.fullmatch(path)
        if match is not None and endpoint.method == method:
            return endpoint, match.groups()
    return None
