"""The permanent record: capture, bag, signature, stamps, vault and the check of all of them (RECORD.md)."""
