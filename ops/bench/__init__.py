"""The benchmarks behind the figures in the README. Run by ops/bench/run.py."""
