"""The same loss in fewer steps, and each in less time: a ladder."""
