"""Learning from other taggers: teachers, soft labels, linear head, the start of the backbone, the model card."""
