"""What survives a kill at any moment, and how a training goes on from it."""
