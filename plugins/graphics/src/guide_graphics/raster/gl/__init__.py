"""The renderer that draws through OpenGL, with a display or without."""
