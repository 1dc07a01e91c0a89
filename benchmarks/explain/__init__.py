"""What `guide explain` rests on: its reading, its verdicts, its predictions."""
