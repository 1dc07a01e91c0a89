"""A camera, what it sees, and how long that took."""
