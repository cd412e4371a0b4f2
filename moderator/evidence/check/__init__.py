"""Checking records, ledgers and heads: what `moderator verify` does."""
