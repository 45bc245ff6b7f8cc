"""A network in the form of another tool: an ONNX model, a PyTorch module."""
