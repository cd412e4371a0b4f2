"""The review app: one page a file. Built by `app.create_app`, which the composition root's callers serve."""
