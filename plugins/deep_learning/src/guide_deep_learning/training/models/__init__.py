"""What learns: a small GPT whose pieces can be swapped, its losses, and text from it."""
