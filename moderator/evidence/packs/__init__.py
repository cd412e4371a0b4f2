"""Packs: a record made ready for the police, HR, a subject-access request or the safeguarding system."""
