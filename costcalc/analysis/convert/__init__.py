"""A network as a file of another form: an ONNX model, a PyTorch module, an editable spec."""
