"""`python -m tmbr`, and so `accelerate launch -m tmbr`."""

from tmbr.cli import main

main()
