"""Does it fit in memory? The peak, the tensors alive there, and the position of every tensor."""
