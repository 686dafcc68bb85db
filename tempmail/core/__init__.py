"""The domain: addresses, mailboxes, messages and their limits. No I/O, no Twisted."""
