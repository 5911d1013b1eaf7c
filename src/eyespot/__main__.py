"""`python -m eyespot`."""

from eyespot.cli.main import main

main()
