"""The network as data, its expressions, the tracer, and the rows it yields, which form the graph."""
