"""`uike explain`: one verdict on a recorded negotiation, and the line of configuration that would mend it."""
