"""A disposable-mail server: mail for short-lived addresses, in front of whoever waits for it."""

__version__ = "0.1.0"
