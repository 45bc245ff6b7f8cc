"""The spec language: a text of YAML becomes a Model."""
