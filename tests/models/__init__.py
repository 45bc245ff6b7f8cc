"""Whole models: `import torch` gives PyTorch's counts for the models of three libraries."""
