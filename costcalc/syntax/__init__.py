"""YAML as nodes with their places, without tags, anchors and aliases; reports all problems of a text at once."""
