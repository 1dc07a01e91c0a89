"""The judge, on a machine that is kept busy."""
