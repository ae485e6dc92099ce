"""The appliance: what a board does with the engine once it has power."""
