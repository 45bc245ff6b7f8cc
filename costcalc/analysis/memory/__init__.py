"""Does it fit: the peak of memory, what is alive there, and where every tensor lies."""
