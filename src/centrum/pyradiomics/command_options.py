"""The options of PyRadiomics' script `pyradiomics`, by its names and abbreviations.

>>> chosen = parser().parse_args(["image.nrrd", "mask.nrrd", "-s", "binWidth:10", "-f", "csv"])
>>> chosen.format, chosen.setting, chosen.mode
('csv', ['binWidth:10'], 'segment')
"""

import argparse

from centrum.pyradiomics.batch import MODES
from centrum.pyradiomics.batch_results import FORMATS, PATHS
from centrum.pyradiomics.version import __version__

LEVELS = ("NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def parser() -> argparse.ArgumentParser:
    """Reads the words of a command line; exits with code 2 where they are wrong."""
    made = argparse.ArgumentParser(
        prog="python -m centrum.pyradiomics",
        usage="%(prog)s image|batch [mask] [Options]",
        description="Features of an image and a mask, or of all rows of a CSV file.",
    )
    _add_input(made.add_argument_group("Input"))
    _add_output(made.add_argument_group("Output"))
    _add_logging(made.add_argument_group("Logging"))
    made.add_argument("--label", "-l", metavar="N", type=int, help="the same as --setting label:N")
    made.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return made


def _add_input(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "input",
        metavar="{Image,Batch}FILE",
        help="an image, or a CSV file with the columns Image and Mask, and perhaps Label and "
        "Label_channel; its paths start from its folder",
    )
    add("mask", nargs="?", metavar="MaskFILE", help="the mask of an image")
    add("--param", "-p", metavar="FILE", help="parameter file, YAML or JSON")
    add(
        "--setting",
        "-s",
        metavar='"NAME:VALUE"',
        action="append",
        default=[],
        help="a setting that overrides the parameter file; commas between the values of a list; "
        "may be repeated",
    )
    add(
        "--jobs",
        "-j",
        metavar="N",
        type=_positive,
        default=1,
        help="processes that share the rows of a CSV file",
    )
    add(
        "--validate",
        action="store_true",
        help="only check that the parameter file is right and that the images and masks exist",
    )


def _add_output(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--out", "-o", metavar="FILE", help="file to append the results to, instead of printing")
    add(
        "--out-dir",
        "-od",
        metavar="FOLDER",
        help="segment mode: also a CSV file per case here, which is read instead of measuring the "
        "case again; voxel mode: where maps go instead of the current folder",
    )
    add("--mode", "-m", choices=list(MODES), default="segment", help="features or maps")
    add("--skip-nans", action="store_true", help="leave out features that are NaN")
    add("--format", "-f", choices=list(FORMATS), default="txt", help="of the results")
    add("--format-path", choices=list(PATHS), default="absolute", help="of images and masks")
    add("--unix-path", "-up", action="store_true", help="write paths with /")


def _add_logging(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--logging-level", choices=LEVELS, default="WARNING", help="of the log file")
    add("--log-file", metavar="FILE", help="file to append messages to")
    add(
        "--verbosity", "-v", nargs="?", default=3, const=4, type=int, choices=range(1, 6),
        help="messages on stderr: 1 critical, 2 errors, 3 warnings, 4 information, 5 debugging",
    )  # fmt: skip


def _positive(text: str) -> int:
    """The number of --jobs."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text}")
    return number
