"""Side-by-side measurements, and their printed results."""
