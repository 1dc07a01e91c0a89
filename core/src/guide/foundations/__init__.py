"""The common modules m0 to m5, as a built-in plugin that uses the same hooks as anyone's."""
