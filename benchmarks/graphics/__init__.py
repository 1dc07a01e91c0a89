"""The software renderer against OpenGL and the renderers that others use: `make bench-graphics`."""
