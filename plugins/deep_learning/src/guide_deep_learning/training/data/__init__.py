"""What is learned from: text and images that every machine has, in an order without a position."""
