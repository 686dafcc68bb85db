"""Handing mail over by HTTP."""
