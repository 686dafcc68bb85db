"""Tables on standard output, and the figures behind them for the plot."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table."""
    cells = [[_text(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print(f"\n{title}\n")
    for index, row in enumerate(cells):
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("| " + " | ".join(padded) + " |")
        if not index:
            print("| " + " | ".join("-" * width for width in widths) + " |")
    print(flush=True)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that ``percent`` of the values do not exceed."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _text(cell: object) -> str:
    return (
        f"{cell:.3g}"
        if isinstance(cell, float) and cell < 100
        else (f"{cell:,.0f}" if isinstance(cell, float) else str(cell))
    )
