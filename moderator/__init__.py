"""Social-media moderation for school trusts: evidence first, then hide, then tell the Headteacher."""

__version__ = "0.1.0"
