"""Every measurement, and their picture: ``python -m benchmarks``."""

from __future__ import annotations

from pathlib import Path

from benchmarks import expiry, intake, latency, listing, memory, opening, plot, recognition

PICTURE = Path(__file__).parent.parent / "docs" / "benchmarks.svg"


def main() -> None:
    """Measure, print, draw."""
    taken_in = intake.main()
    waited = latency.main()
    memory.main()
    listing.main()
    opening.main()
    expiry.main()
    recognition.main()
    plot.draw(PICTURE, taken_in, waited)
    print(f"The picture is in {PICTURE}")


if __name__ == "__main__":
    main()
