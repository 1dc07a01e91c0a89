"""Comparisons that anyone can run: `make bench`, `make bench-core`."""
