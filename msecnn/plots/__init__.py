"""Results to figures: arrays in, a matplotlib figure out."""
