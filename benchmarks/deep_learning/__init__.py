"""Training against the loops, savers, loaders and exporters that others use: `__main__.py`."""
