"""Readers turn a file into a `Model`. Each is chosen by file suffix and imported on first use."""
