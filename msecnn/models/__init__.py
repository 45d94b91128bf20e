"""The networks: one paper, one file, found by name in the registry."""
