"""The run folder as data: its files, its history and scores, its card and figures."""
