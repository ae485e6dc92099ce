"""IP for programs on the board: packets of the tunnel in and out, no I/O. Loaded only where something uses it."""
