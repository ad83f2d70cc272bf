"""Keras layers and helpers that several families share."""
