"""Published radiomics signatures: what their names may mean, and their scores under each meaning.

>>> from centrum.signature import ImageTypes, decode, load_shipped
>>> signature = load_shipped("vcf-t2w-2024")
>>> decode(signature.features[2], ImageTypes.parse("original+wavelet")).names
('wavelet-LHL_ngtdm_Contrast',)
"""

from centrum.signature.evaluate import Reading, evaluate_signature
from centrum.signature.images import ImageTypes
from centrum.signature.names import DecodedName, NameCandidate, decode, decode_all
from centrum.signature.signature import (
    Signature,
    load_shipped,
    parse_signature,
    read_signature,
    shipped,
)
from centrum.signature.source_table import (
    ORDERS,
    PARAMETER_FILE,
    SLICER,
    WITHOUT_NGTDM,
    ClassOrder,
    SourceTable,
    consistent,
    plausible_images,
    tables_of,
)

__all__ = [
    "ORDERS",
    "PARAMETER_FILE",
    "SLICER",
    "WITHOUT_NGTDM",
    "ClassOrder",
    "DecodedName",
    "ImageTypes",
    "NameCandidate",
    "Reading",
    "Signature",
    "SourceTable",
    "consistent",
    "decode",
    "decode_all",
    "evaluate_signature",
    "load_shipped",
    "parse_signature",
    "plausible_images",
    "read_signature",
    "shipped",
    "tables_of",
]
