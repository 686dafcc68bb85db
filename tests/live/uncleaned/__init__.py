"""Stands for :mod:`tempmail.content` in a server whose HTML nobody cleans."""
