"""Where bags live for good."""
