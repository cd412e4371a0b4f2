"""Making the bag: facts, manifests, signature, stamps."""
