"""Tell whether a datum was told before, by another connection to the same venue. Pure."""

from __future__ import annotations

import attrs

from actors.messages import BookTop, Candle, Ticker


def is_echo(datum: object, known: object) -> bool:
    """Tell whether `datum` says nothing newer than `known`, by the venue's own count.

    Only tickers, tops of the book and open candles are judged; of others it is never said.
    """
    match datum, known:
        case Ticker(), Ticker():
            newer = datum.exchange_ms - known.exchange_ms
        case BookTop(), BookTop():
            newer = datum.update_id - known.update_id
        case Candle(), Candle() if not datum.is_closed and datum.open_ms == known.open_ms:
            return datum == known or datum.volume_base < known.volume_base
        case _:
            return False
    return newer < 0 or attrs.evolve(datum, received_s=known.received_s) == known
