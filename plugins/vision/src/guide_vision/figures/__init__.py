"""Living figures of the vision track: each measures in under three seconds, on one thread.

What is told with "computed" is the same on every machine: a simulated clock, or arithmetic.
"""
