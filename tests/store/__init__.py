"""Tests of tempmail.store."""
