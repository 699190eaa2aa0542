"""The vendor of the benchmarks, found by the registry in place of the real ones."""
