"""The checks desk on the page: a spec, its runs, verdicts with their regions, baselines, history."""
