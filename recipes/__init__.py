"""How each model is trained: one small TOML file per model and data set, and their schema."""
