"""How well codes and links are found in labelled mails: ``python -m benchmarks.recognition``.

Precision is the share of what was told that was right, recall the share of what there was that was
told rightly; "nothing" counts the mails in which there is nothing and nothing was told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from attrs import frozen

from benchmarks.tables import show
from tempmail.content.codes import best_code, find_codes
from tempmail.content.links import best_link, find_links
from tempmail.content.plain import read_page
from tests.corpus.codes import LabelledMail, blind, forty, table, unseen

TABLES: tuple[tuple[str, Callable[[], list[LabelledMail]]], ...] = (
    ("forty", forty),
    ("tuned", lambda: table("tuned")),
    ("heldout", lambda: table("heldout")),
    ("later", lambda: table("later")),
    ("blind", blind),
    ("unseen", unseen),
    ("own", lambda: table("own")),
    ("ordinary", lambda: table("ordinary")),
    ("further", lambda: table("further")),
)


@frozen
class Outcome:
    """For one mail: what was told, and what would have been right; empty where there is none."""

    mail: str
    told: str
    right: tuple[str, ...]

    @property
    def correct(self) -> bool:
        """Whether the right thing was told, or nothing where there is nothing."""
        return self.told in self.right if self.right else not self.told


def code_outcome(mail: LabelledMail) -> Outcome:
    """What is told as the code of a mail."""
    code = best_code(find_codes(mail.subject, mail.text, read_page(mail.html).text))
    return Outcome(mail.name, code.value if code else "", mail.codes)


def link_outcome(mail: LabelledMail) -> Outcome:
    """What is told as the link of a mail."""
    link = best_link(find_links(mail.text, read_page(mail.html), mail.subject))
    return Outcome(mail.name, link.url if link else "", mail.links)


JUDGES: dict[Literal["code", "link"], Callable[[LabelledMail], Outcome]] = {
    "code": code_outcome,
    "link": link_outcome,
}


def row(name: str, what: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """One line of the table."""
    told = [outcome for outcome in outcomes if outcome.told]
    labelled = [outcome for outcome in outcomes if outcome.right]
    empty = [outcome for outcome in outcomes if not outcome.right]
    right = sum(outcome.correct for outcome in labelled)
    return (
        name,
        what,
        str(len(outcomes)),
        _share(right, len(told)),
        _share(right, len(labelled)),
        f"{sum(outcome.correct for outcome in empty)} of {len(empty)}",
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%} ({part} of {whole})" if whole else "-"


def main() -> None:
    """Print precision and recall, and each mail that was got wrong."""
    rows: list[tuple[str, ...]] = []
    wrong: list[Outcome] = []
    for name, mails in TABLES:
        for what, judge in JUDGES.items():
            outcomes = [judge(mail) for mail in mails() if what in mail.judged]
            rows.append(row(name, what, outcomes))
            wrong.extend(outcome for outcome in outcomes if not outcome.correct)
    _print(rows)
    for outcome in wrong:
        print(f"wrong: {outcome.mail}: told {outcome.told!r}, right is {outcome.right!r}")


def _print(rows: list[tuple[str, ...]]) -> None:
    show(
        "Codes and links found", ("mails", "what", "count", "precision", "recall", "nothing"), rows
    )


if __name__ == "__main__":
    main()
