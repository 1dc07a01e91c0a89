"""What the living figures of this track measure, and how they are drawn.

Imported when a figure is measured or drawn, never before.
"""
