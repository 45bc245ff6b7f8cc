"""The interactive page: a network as one HTML file."""
