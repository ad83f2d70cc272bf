"""The ground floor: errors, files, processes, streams, and starting TensorFlow quietly."""
