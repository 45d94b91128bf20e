"""Other projects' weights, read into this one's networks."""
