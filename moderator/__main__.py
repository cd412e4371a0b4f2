"""`python -m moderator`: the same as the `moderator` command."""

from moderator.cli import main

main()
