"""The tools that are compared, and what each is asked for."""

from peers.processes import Tool

BINS = 32

PYRADIOMICS = Tool(
    "PyRadiomics",
    "pyradiomics",
    ("serve_pyradiomics.py", "radiomics"),
    {"settings": {"binCount": BINS, "additionalInfo": False}},
)
PICTOLOGICS = Tool("pictologics", "pictologics", ("serve_pictologics.py",), {"what": "ibsi"})
PICTOLOGICS_ALL = Tool(
    "pictologics, everything", "pictologics", ("serve_pictologics.py",), {"what": "everything"}
)
MIRP = Tool("MIRP", "mirp", ("serve_mirp.py",))
DROP_IN = Tool(
    "centrum, drop-in",
    "",
    ("serve_pyradiomics.py", "centrum.pyradiomics"),
    {"settings": {"binCount": BINS, "additionalInfo": False}},
)
CENTRUM_107 = Tool("centrum, 107", "", ("serve_centrum.py",), {"what": "pyradiomics"})
CENTRUM_IBSI = Tool("centrum, IBSI", "", ("serve_centrum.py",), {"what": "ibsi"})
CENTRUM_ALL = Tool("centrum, everything", "", ("serve_centrum.py",), {"what": "everything"})

TOOLS = (
    PYRADIOMICS,
    PICTOLOGICS,
    CENTRUM_107,
    CENTRUM_IBSI,
    DROP_IN,
    CENTRUM_ALL,
    PICTOLOGICS_ALL,
    MIRP,
)
"""`everything` adds the spatial and the local intensity features to the IBSI's."""
