"""Tests of tempmail.client."""
