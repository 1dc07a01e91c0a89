"""A trained model small, exported, and read to write with."""
