"""`python -m centrum.pyradiomics`: the command line of PyRadiomics' script `pyradiomics`."""

import sys

from centrum.pyradiomics.command_line import main

if __name__ == "__main__":
    sys.exit(main())
