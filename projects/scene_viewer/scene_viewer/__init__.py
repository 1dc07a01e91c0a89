"""A mesh of your own, textured, in the sun: 60 frames a second on the CPU alone."""
