"""Benchmarks of `guide explain`: planted faults, real traces, predictions and costs."""
