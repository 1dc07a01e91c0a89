"""A byte-level language model that learns while you watch."""
