"""The formats that models are handed over in: one file each."""
