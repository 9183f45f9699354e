"""Benchmarks, one file each; `python -m scripts._bench`."""
