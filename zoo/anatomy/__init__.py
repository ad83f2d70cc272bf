"""What can be said of a built network: its parameters, multiply-adds, depth and stages."""
