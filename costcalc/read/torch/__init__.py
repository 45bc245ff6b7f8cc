"""Modules of PyTorch, exported as graphs: the only place that runs code which a user names."""
