"""`python -m eyespot`, and the command `eyespot`."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it still loads ends it without a traceback."""
    try:
        from eyespot.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
