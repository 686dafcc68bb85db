"""What a mail says: pure functions from octets to what a person or a test reads."""
