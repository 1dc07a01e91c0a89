"""The video pipeline against the loops and libraries that others use: `make bench-vision`."""
