"""``python -m fleece``: the same as the ``fleece`` command."""

from fleece.cli.main import main

if __name__ == "__main__":
    main()
