"""The networks: one paper, one file, found by name in the registry, where each registers itself when it is imported.

The registry imports them, and torch with them, when it is asked for one.
"""
