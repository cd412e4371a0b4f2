"""The nouns and the rules. Standard library only; everything else imports from here."""
