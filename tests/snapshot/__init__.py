"""Tests of tempmail.snapshot."""
