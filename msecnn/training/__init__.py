"""Training and judging networks."""
