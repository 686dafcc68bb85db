"""Tests of the reading of mail."""
