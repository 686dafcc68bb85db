"""Stands for :mod:`tempmail.content` in a server whose document has no policy."""
