"""A teapot, lit and turning, drawn at 60 Hz with a deadline for every frame."""
