"""The control plane: IKE SAs and their exchanges (RFC 7296). Does not know ESP; the endpoint carries keys to it."""
