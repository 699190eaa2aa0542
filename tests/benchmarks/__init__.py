"""How fast, as ratios within one run: `python -m tests.benchmarks` tells what there is. Run by hand; none is a test."""
