"""Tests of tempmail.web."""
