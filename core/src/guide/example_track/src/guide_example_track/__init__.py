"""The example-track track of guide. What it brings stands in `guide_example_track.plugin`."""
