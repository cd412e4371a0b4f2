"""The person tagger: finds people's names in comments. Trained by `train`, loaded by `tagger`, given its meaning by `tiers`."""
