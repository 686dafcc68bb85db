"""Tests of tempmail.core."""
