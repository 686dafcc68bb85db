"""Stands for :mod:`tempmail.content` in a server that shows HTML as it comes."""
