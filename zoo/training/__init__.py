"""From a recipe to a run: devices, strategy, fit, checkpoints."""
