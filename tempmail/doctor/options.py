"""The options of the examination: those of the server, and how to look."""

from __future__ import annotations

from tempmail.options import Options


class DoctorOptions(Options):
    """What stands behind ``tempmail doctor``."""

    longdesc = (
        "Looks at everything the server needs, without starting it. Takes the server's options, "
        "or the file that has them, and exits with 1 when something must be done."
    )

    def getSynopsis(self) -> str:
        """The first line of the help."""
        return "Usage: tempmail doctor [options]"

    def opt_json(self) -> None:
        """Print one JSON document instead of lines."""
