"""The words that name codes, other numbers and links, by language.

Phrases are parted by commas, and compared as `tempmail.content.cues` says: without case and marks,
a hyphen as a blank. A phrase begins and ends at the border of a word where the script has borders;
a ``*`` before or behind it lifts that, for languages that compound and inflect.
"""

from __future__ import annotations

from collections.abc import Mapping

Table = Mapping[str, str]
