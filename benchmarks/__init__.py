"""Measurements. Every figure of speed is a ratio to something known in the same run."""
