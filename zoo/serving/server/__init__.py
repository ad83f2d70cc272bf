"""A local server that speaks TensorFlow Serving's REST interface."""
