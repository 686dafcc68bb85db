"""The figures as one picture, for ``docs/``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot


def draw(
    path: Path,
    intake: Mapping[str, Mapping[str, float]],
    latency: Mapping[int, Sequence[float]],
) -> None:
    """Write ``path``: intake ratios as bars, times to the waiting client as distributions."""
    # The same figures give the same file.
    mpl.rcParams.update({"svg.hashsalt": "tempmail", "font.size": 9})
    figure, (bars, curves) = pyplot.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    names = [name for name in next(iter(intake.values())) if name != "mails/s"]
    width = 0.8 / len(names)
    for place, name in enumerate(names):
        heights = [found[name] for found in intake.values()]
        positions = [index + place * width for index in range(len(heights))]
        bars.bar(positions, heights, width, label=name)
    bars.set_xticks([index + 0.4 - width / 2 for index in range(len(intake))], list(intake))
    bars.set_ylabel("rate, ratio to smtp-sink")
    bars.set_title("Mail taken in over SMTP, ten senders")
    bars.legend(fontsize=8)
    for others, times in latency.items():
        ranked = sorted(times)
        share = [100 * (index + 1) / len(ranked) for index in range(len(ranked))]
        curves.plot(ranked, share, label=f"{others:,} others waiting")
    curves.set_xscale("log")
    curves.set_xlabel("milliseconds from the final dot to the waiting client")
    curves.set_ylabel("% of mails")
    curves.set_title("Mail in front of its reader")
    curves.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})
