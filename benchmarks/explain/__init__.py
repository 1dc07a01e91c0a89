"""How well `guide explain` explains, and how much it takes."""
