"""An account counts in one quote asset, so its bots trade in one."""

from __future__ import annotations

from tests.pure.config_text import BASE, said

PRICES = '[simulator.prices]\n"BTC/USDT" = 60_000\n"BTC/USD" = 60_000\n"ETH/USDT" = 3_000\n'
SECOND = '[accounts.second]\nexchange = "binance"\n'


def fleet(*bots: tuple[str, str]) -> str:
    """Return the base with more bots, each of an account and a symbol."""
    mine = BASE[BASE.index("[[bots]]") :]
    more = [
        mine.replace('"one"', f'"more-{number}"')
        .replace('"main"', f'"{account}"')
        .replace('"BTC/USDT"', f'"{symbol}"')
        for number, (account, symbol) in enumerate(bots)
    ]
    return BASE + "".join(more) + SECOND + PRICES


def test_bots_of_one_account_trade_in_one_quote_asset() -> None:
    assert said(fleet(("main", "ETH/USDT"), ("main", "BTC/USD"))) == [
        "bots.toml:23: bots[2].symbol: is paid in USD, and one on the same account in USDT;"
        " an account counts in one quote asset, so give this bot an account of its own"
    ]


def test_bots_of_two_accounts_may_trade_in_two_quote_assets() -> None:
    assert said(fleet(("second", "BTC/USD"), ("main", "ETH/USDT"))) == []


def test_what_a_bot_only_reads_may_have_any_quote_asset() -> None:
    reads = 'symbol = "BTC/USDT"\nreads = ["binance:BTC/USD"]'
    assert said(fleet().replace('symbol = "BTC/USDT"', reads)) == []


def test_a_symbol_that_is_none_is_not_judged_by_its_quote_asset() -> None:
    lines = said(fleet(("main", "BTCUSD")))
    assert len(lines) == 1
    assert "must be a symbol as BASE/QUOTE" in lines[0]
