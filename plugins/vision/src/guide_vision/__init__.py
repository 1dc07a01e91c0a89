"""The vision track: `guide_vision.pipeline` is its engine, `guide_vision.plugin` its hooks."""
