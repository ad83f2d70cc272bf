"""The architectures: one file per family, each to be read beside its paper."""
