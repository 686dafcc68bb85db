"""Tests of tempmail.cli."""
