"""Tools that make shipped files; they are not installed."""
