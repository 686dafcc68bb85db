"""What every store does, whatever it keeps mail in."""

from __future__ import annotations

from tests.store.mailboxes import MailboxContract
from tests.store.mails import MailContract


class StoreContract(MailboxContract, MailContract):
    """Mix this into a test case that says how to make the store."""
