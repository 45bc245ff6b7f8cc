"""The page: a network as one HTML file that can be looked at, moved and sent."""
