"""``python -m fleece_testing.local``: the same as the ``fleece-local`` command."""

from fleece_testing.local.main import main

if __name__ == "__main__":
    main()
