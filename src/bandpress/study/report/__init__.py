"""The page of a study: one HTML file with everything in it. The script is `scripts/make_index.py`."""
