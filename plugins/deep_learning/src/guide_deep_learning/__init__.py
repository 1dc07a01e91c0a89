"""The deep-learning track of `guide`: its sections, exercises, scaffold and training engine.

`guide_deep_learning.training` is the engine; this package itself imports nothing.
"""
