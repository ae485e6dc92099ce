"""`uike pcap`: what a board sent and received, for Wireshark."""
