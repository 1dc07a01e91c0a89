"""The step and all that is chosen, watched and counted around it."""
