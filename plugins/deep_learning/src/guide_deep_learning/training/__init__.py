"""Training as a real-time loop: every step measured, every restart exact.

    loop/         the step, and all that is chosen, watched and counted around it: read `trainer`
                  first, then `training`, which puts everything together
    data/         text and images that every machine has; batches as pure functions of a number
    models/       a small GPT whose pieces can be swapped, its losses, and text from it
    optimizers/   AdamW, Muon, the learning rate
    checkpointing/ what survives a kill at any moment
    processes/    several processes and machines under torchrun
    deploy/       a trained model small, exported, and read to write with
    diagnoses     what a record has in common with known causes

One idea a module. Import what you use from its module:

    from guide_deep_learning.training.data.corpus import open_corpus
    from guide_deep_learning.training.loop.trainer import Trainer
"""
