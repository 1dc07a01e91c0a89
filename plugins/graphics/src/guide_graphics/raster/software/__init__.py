"""The renderer that draws on the CPU, eight pixels at a time: see `renderer` for its phases."""
