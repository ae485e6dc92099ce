"""Codecs of IKEv2: bytes to payloads and back. They know nothing of SAs, time or keys."""
