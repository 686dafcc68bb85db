"""Tests against the real daemon: real processes, real sockets."""
