"""Signing in: password and code, recovery codes, passkeys, identity providers, invitations, the first set-up, and the sessions."""
