"""A disposable-mail server: mail for short-lived addresses, in front of whoever waits for it."""
