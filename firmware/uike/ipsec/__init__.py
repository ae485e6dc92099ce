"""The data plane: ESP in tunnel mode (RFC 4303), in UDP (RFC 3948). Does not know IKE."""
