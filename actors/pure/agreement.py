"""Say what a comparison of an account with its exchange has found. Pure."""

from __future__ import annotations

from actors.messages import Reconciled

DRIFTS_MAX = 3  # said in one line; the rest are counted


def agreement(found: Reconciled, exchange: str) -> str:
    """Return in one line whether they agree, and what was booked from the exchange."""
    said = [_counted(found.open_orders, "order of ours", "orders of ours") + " open"]
    if found.foreign_orders:
        said.append(_counted(found.foreign_orders, "foreign one", "foreign ones"))
    if found.fills_booked or found.orders_settled:
        fills = _counted(found.fills_booked, "fill", "fills")
        ends = _counted(found.orders_settled, "end of an order", "ends of orders")
        said.append(f"{fills} and {ends} booked that nobody had told us of")
    if not found.drifts:
        return f"{found.account} agrees with {exchange}: {', '.join(said)}"
    more = len(found.drifts) - DRIFTS_MAX
    drifts = "; ".join(found.drifts[:DRIFTS_MAX]) + (f" and {more} more" * (more > 0))
    return f"{found.account} does not agree with {exchange}: {drifts} ({', '.join(said)})"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
