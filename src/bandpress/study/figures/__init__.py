"""What figures and tables share: style, reading of results, writing of files. The scripts are in ``scripts/``."""
