"""Check a bill of materials against the schema of its version; run where cyclonedx-bom is.

python validate_bill.py sbom.cdx.json 1.6
"""

import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

path, version = sys.argv[1:]
validator = JsonStrictValidator(SchemaVersion.from_version(version))
if wrong := validator.validate_str(Path(path).read_text(encoding="utf-8")):
    sys.exit(f"{path} does not follow CycloneDX {version}: {wrong}")
