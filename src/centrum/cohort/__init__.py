"""The cases of a study: vertebral levels, the manifest, and who is eligible.

`centrum.cohort.discover`, which writes a manifest for a folder of images, and
`centrum.cohort.label_map`, which reads the levels of a label map, stand apart because they read
image files.
"""

from centrum.cohort.case import Case, Cohort
from centrum.cohort.eligibility import CaseCounts, EligibilityRule, Exclusion, Flow, apply_rules
from centrum.cohort.levels import Level
from centrum.cohort.manifest import check_files, read_manifest

__all__ = [
    "Case",
    "CaseCounts",
    "Cohort",
    "EligibilityRule",
    "Exclusion",
    "Flow",
    "Level",
    "apply_rules",
    "check_files",
    "read_manifest",
]
