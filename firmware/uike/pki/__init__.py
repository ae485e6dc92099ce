"""Certificates: X.509 (RFC 5280), the keys in them, and what they say about a peer. Transient."""
