"""YAML as nodes with their places, and nothing of YAML that could surprise; every problem of a text at once."""
