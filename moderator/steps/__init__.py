"""The steps of the line, one verb a file. Each does a bounded piece of due work and returns how much; they know ports only."""
