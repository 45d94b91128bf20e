"""Between browser and library: context, sessions, endpoints, background work, the guard of the HTTP interface."""
