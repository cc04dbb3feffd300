"""python -m verify: the command."""

from verify.cli import main

main()
