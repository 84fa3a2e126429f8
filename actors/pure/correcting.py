"""Take out of a bot's position what the exchange no longer holds, by command. Pure.

Position truth is the venue's quantity. A symbol that is short stays frozen to exits until
an operator has looked and says whose position it was (R-13, R-14).
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from actors.messages import Asked, Corrected
from actors.pure.books import Books
from actors.pure.commands import NotPossible
from actors.pure.drift import settled_base
from actors.pure.money import plain


def corrected(
    books: Books,
    account: str,
    asked: Asked,
    asset: str,
    total: Decimal | int,
    unmoved: Collection[str] = (),
) -> Corrected:
    """Return the fact that brings a bot's position down to what is there.

    `unmoved` are the live orders that the venue shows as we have them.

    Raises:
      NotPossible: nothing is missing, an order may still explain it, or whose it was is
        not said.
    """
    symbol = asked.subject
    held = {bot: books.of(bot, symbol).base for bot in books.holdings.bots_of(symbol)}
    if not held:
        raise NotPossible(f"no bot on {account} holds {symbol}")
    settled = settled_base(books, unmoved).get(asset)
    if settled is None:
        raise NotPossible(f"an order on {asset} is not settled: it may still explain it")
    missing = settled - total
    if missing <= 0:
        raise NotPossible(
            f"nothing is missing: the ledger holds {plain(settled)} {asset}, the exchange"
            f" {plain(Decimal(total))}"
        )
    if asked.bot and asked.bot not in held:
        does = f"{', '.join(held)} {'does' if len(held) == 1 else 'do'}"
        raise NotPossible(f"{asked.bot} holds no {symbol}; {does}")
    if not asked.bot and len(held) > 1:
        names = ", ".join(f"{bot} ({plain(base)})" for bot, base in held.items())
        raise NotPossible(f"say whose it was, --bot NAME: {symbol} is held by {names}")
    bot = asked.bot or next(iter(held))
    number = books.holdings.corrections.get(asset, 0) + 1
    return Corrected(bot, account, symbol, min(missing, held[bot]), asked.reason, number)
