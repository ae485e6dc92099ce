"""`uike gateway`: the configuration of the other end, made from the configuration of a board."""
