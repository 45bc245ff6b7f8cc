"""YAML as nodes with positions, without tags, anchors and aliases. All problems of a text are reported together."""
