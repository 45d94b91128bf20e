"""Do the skips help? Four networks from nothing under one schedule, compared in pairs: see docs/skips.md."""
