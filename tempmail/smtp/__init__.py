"""Receiving mail."""
