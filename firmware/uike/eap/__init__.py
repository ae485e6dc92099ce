"""EAP methods (RFC 3748): transient, loaded by `ike/eap` and `ike/eap_server` for the one that is in use."""
