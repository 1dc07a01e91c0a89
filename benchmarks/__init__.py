"""Comparisons that anyone can run: `make bench`, `make bench-core`, `make bench-vision`."""
