"""Training: the pipeline from a manifest to a checkpoint, the trainer, its schedule, averaged weights, run folders."""
