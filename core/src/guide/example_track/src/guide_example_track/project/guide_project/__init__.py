"""Blocks of samples, what is in them, and how long that took."""
