"""Where meshes come from: files in several formats, and shapes that are computed."""
