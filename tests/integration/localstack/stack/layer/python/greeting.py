"""What the layer brings: a test replaces this folder by one with another version."""

LAYER_VERSION = "first"
