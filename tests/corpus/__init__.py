"""Mails to test with."""
