"""One folder a social platform, each behind `ports.Platform`; `practice` is a network of our own for rehearsals and tests."""
