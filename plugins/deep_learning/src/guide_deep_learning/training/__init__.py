"""Training as a real-time loop: every step measured, every restart exact.

One idea a module. `corpus`, `batches`, `schedule`, `identity` and `footprint` need numpy at most;
`model`, `guard`, `checkpoint` and `trainer` load torch. Import what you use from its module:

    from guide_deep_learning.training.corpus import open_corpus
    from guide_deep_learning.training.trainer import Trainer
"""
