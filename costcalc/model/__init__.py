"""A network as data, its expressions, the one walk, and rows with their sources: the graph."""
