"""Real gateways to hold ourselves against: network namespaces, and a strongSwan in one of them. They need root."""
