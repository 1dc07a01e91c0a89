"""Whether what `guide explain` says is true, how well it predicts, and how fast it says it."""
