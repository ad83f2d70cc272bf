"""The architectures: one file per family, meant to be read together with its paper."""
