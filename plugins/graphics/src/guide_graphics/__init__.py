"""The graphics track of guide: pixels, geometry and frames that arrive on time."""
