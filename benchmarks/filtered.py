"""Time extractions with filters beside the peers: the image and thirteen response maps of it.

Laplacian of Gaussian of 1 to 5 mm and the eight bands of a wavelet: 1316 features in
PyRadiomics. pictologics gives the same number of maps, its own LoG and wavelets, and more
features of each.

    python benchmarks/filtered.py                       # writes results/filtered.json
    python benchmarks/filtered.py --case vertebral --rounds 2 --dry
"""

from dataclasses import replace

from peers.processes import Tool
from speed import Goals, compare
from tools import CENTRUM_107, CENTRUM_IBSI, DROP_IN, PICTOLOGICS, PYRADIOMICS

CASES = ("vertebral body", "real vertebra", "lung2")

IMAGE_TYPES = {"LoG": {"sigma": [1.0, 2.0, 3.0, 4.0, 5.0]}, "Wavelet": {}}


def filtered(tool: Tool, name: str = "", **settings: object) -> Tool:
    """The tool with filters, and with further settings."""
    options = dict(tool.task) | {"filtered": True, "filters": IMAGE_TYPES}
    if settings:
        options["settings"] = dict(options["settings"]) | settings
    return replace(tool, name=name or tool.name, task=options)


PEER = filtered(PYRADIOMICS)
OURS = filtered(CENTRUM_107, "centrum, 1316")
OURS_IBSI = filtered(CENTRUM_IBSI)
PICT = filtered(PICTOLOGICS)
TOOLS = (
    PEER,
    filtered(PYRADIOMICS, "PyRadiomics, preCrop", preCrop=True),
    PICT,
    OURS,
    OURS_IBSI,
    filtered(DROP_IN),
)

GOALS: Goals = (
    (OURS, PEER, lambda row: 75.0),
    (OURS, PICT, lambda row: 2.0),
    (OURS_IBSI, PICT, lambda row: 2.0),
)

if __name__ == "__main__":
    compare("filtered", "Time extractions with filters beside the peers.", TOOLS, GOALS, CASES)
