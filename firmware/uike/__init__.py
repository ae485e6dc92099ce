"""uike ("micro-IKE"): IKEv2 and ESP in pure MicroPython, for boards that cost five euros."""

VERSION = "0.1.0"
