"""Networks of others, as published, that are read here: as teachers and as peers."""
