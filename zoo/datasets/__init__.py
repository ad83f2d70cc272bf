"""Data sets by name: what is known of them, their three splits, and how models are fed."""
