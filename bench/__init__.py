"""Benchmarks: `make bench`. One JSON object per line: name, value, unit, ratio_to."""
