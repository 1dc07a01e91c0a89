"""Several processes and machines under torchrun, as one training with one report."""
