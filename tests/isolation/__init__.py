"""Tests of tempmail.isolation."""
