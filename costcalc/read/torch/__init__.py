"""PyTorch modules, exported as graphs. Only this package runs code that the user names."""
