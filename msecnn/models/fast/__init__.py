"""The same networks as they run fast: folded, their gradients, and only the frames that changed."""
