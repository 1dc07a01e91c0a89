"""The renderer that draws on the CPU: transform, set up, cover, shade."""
