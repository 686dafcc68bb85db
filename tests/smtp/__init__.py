"""Tests of tempmail.smtp."""
