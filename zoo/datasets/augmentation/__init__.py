"""Changes of training images: where things are, what values are, and mixes of two."""
