"""Unsupervised stages: modules whose buffers are fitted to frames once, and stay as they are while a network learns."""
