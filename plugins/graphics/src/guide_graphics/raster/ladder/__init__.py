"""The software renderer as code to be read: the same picture, one pixel after the other.

Its rungs, each with what the next one changes:

1. a loop in Python: `kernel.py_func`, any kernel of this package as it stands in the source;
2. the same compiled by numba, one thread and one band as high as the picture;
3. bands of rows, small enough for a cache (`LadderRenderer(band_rows=16)`);
4. several threads, which share out the bands;
5. eight pixels at once: `guide_graphics.raster.software`.

It draws what is opaque, with bilinear textures: mip-maps, layers, shadows and several samples are
the last rung's alone.
"""
