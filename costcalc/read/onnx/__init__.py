"""Reads ONNX graphs: a Model whose steps are the nodes that compute. Weights are never loaded, nothing is run."""
