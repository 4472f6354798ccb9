"""Style, reading of results and writing of files for figures and tables. The scripts are in ``scripts/``."""
