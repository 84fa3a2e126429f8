"""What a bench has found, as one plain table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

HEAD = ("figure", "rate", "ours", "probe", "ratio", "target", "met")


@attrs.frozen
class Figure:
    """One line of the table; texts are ready to be read."""

    name: str
    rate: str
    ours: str
    probe: str = "-"
    ratio: float | None = None
    target: str = "-"
    is_met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        met = {True: "yes", False: "NO", None: "-"}[self.is_met]
        ratio = "-" if self.ratio is None else f"{self.ratio:.2f}"
        return self.name, self.rate, self.ours, self.probe, ratio, self.target, met


@attrs.frozen
class Spread:
    """Median and 99th percentile, in microseconds, of so many."""

    p50_us: float
    p99_us: float
    count: int

    def __str__(self) -> str:
        return f"{shown_us(self.p50_us)} / {shown_us(self.p99_us)}"


def spread(samples: Iterable[float]) -> Spread:
    """Return median and p99 of the samples; there must be some."""
    ordered = sorted(samples)
    if not ordered:
        raise SystemExit("nothing was measured: did the fleet trade at all?")
    p50, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
    return Spread(p50, p99, len(ordered))


def shown_us(us: float) -> str:
    return f"{us / 1000:.2f} ms" if us >= 1000 else f"{us:.0f} us"


def compared(
    name: str,
    rate: str,
    ours: Spread,
    probe: Spread,
    *,
    target: str = "-",
    is_met: bool | None = None,
) -> Figure:
    """Return a line with both spreads and the ratio of their medians."""
    ratio = ours.p50_us / max(probe.p50_us, 1)
    return Figure(name, rate, str(ours), str(probe), ratio, target, is_met)


def as_text(figures: Sequence[Figure]) -> str:
    """Return the table; columns are as wide as they must be."""
    rows = [HEAD, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])
