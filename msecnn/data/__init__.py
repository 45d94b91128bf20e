"""Music with labels: manifests, cached mels, and the data sets we know how to prepare."""
