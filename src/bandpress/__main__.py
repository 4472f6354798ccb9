"""``python -m bandpress``."""

from bandpress.cli import main

if __name__ == "__main__":
    main()
