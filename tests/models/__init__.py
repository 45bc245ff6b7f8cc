"""The law of whole models: what `import torch` says of the models of three libraries is what PyTorch counts."""
