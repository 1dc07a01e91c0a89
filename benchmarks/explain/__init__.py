"""How well `guide explain` explains."""
