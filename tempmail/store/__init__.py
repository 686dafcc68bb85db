"""Keeping mail."""
