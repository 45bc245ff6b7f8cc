"""What is shipped: the zoo and the conventions."""
