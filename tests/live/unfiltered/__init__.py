"""Stands for :mod:`tempmail.content` in a server whose nh3 keeps everything."""
