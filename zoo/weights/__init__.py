"""Loading and freezing weights: Keras's files, published weights, transfer by layer."""
