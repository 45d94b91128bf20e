"""A whole music library: many recordings to many answers, over all cores or machines, none lost and none twice."""
