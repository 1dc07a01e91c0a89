"""The living figures of this track's sections: what each measures, and how it is drawn.

Each is a pair of functions: `measure(quick=False)` in under 3 s, imports aside, and `draw(data)`.
torch is imported where it is measured.
"""
