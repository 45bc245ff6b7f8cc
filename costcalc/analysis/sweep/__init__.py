"""How the cost depends on the variables."""
