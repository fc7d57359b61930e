"""The verb `bodies`: vertebral bodies proposed from a label map, for a reader to approve."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from centrum.cohort.schemes import find_scheme
from centrum.errors import DataError
from centrum.io import read_image
from centrum.io.segments import PROPOSAL_TAG
from centrum.io.write import write_masks
from centrum.morphometry.proposed import Proposal, propose_bodies
from centrum.prepare.image import fill_missing


@dataclass(frozen=True, eq=False)
class WrittenProposal:
    """A proposal, and where it was written.

    Attributes
    ----------
    mask : .seg.nrrd with a segment for each body, named as its level
    picture : .png of sagittal slices with outlines
    """

    proposal: Proposal
    mask: Path
    picture: Path


def propose(
    file: Path,
    image: str,
    out: Path,
    *,
    labels: str | None = None,
    parts: Path | None = None,
    orientation: str | None = None,
) -> WrittenProposal:
    """Propose the bodies of a label map, write them into a folder and draw them.

    Parameters
    ----------
    file, labels, parts, orientation : as `propose_bodies` takes them; `labels` is a scheme's name
    image : that the label map is of
    out : folder; a proposal of the same name that is there is replaced

    Raises
    ------
    CentrumError
        As of `read_image`, `find_scheme` and `propose_bodies`.
    """
    from centrum.report.figures.proposal import draw_proposal
    from centrum.report.style import save_figure

    volume = fill_missing(read_image(image, orientation=orientation))
    scheme = find_scheme(labels) if labels is not None else None
    found = propose_bodies(file, volume.geometry, scheme, parts, orientation)
    stem = f"{file.name.split('.')[0]}_bodies"
    written = WrittenProposal(found, out / f"{stem}.seg.nrrd", out / f"{stem}.png")
    _refuse_own_input(written.mask, file)
    out.mkdir(parents=True, exist_ok=True)
    write_masks([each.body for each in found.bodies], written.mask, keys=_tags(found))
    save_figure(draw_proposal(volume, found), written.picture)
    return written


def _tags(proposal: Proposal) -> dict[str, str]:
    """Of every segment, what it is."""
    tag = f"{PROPOSAL_TAG}:{proposal.provenance}|"
    return {f"Segment{k}_Tags": tag for k in range(len(proposal.bodies))}


def _refuse_own_input(mask: Path, file: Path) -> None:
    if mask.exists() and mask.samefile(file):
        raise DataError(
            f"{file.name} would be overwritten.",
            remedy="Choose another folder as --out.",
            code="overwritten",
            file=file,
        )


def proposal_lines(written: WrittenProposal) -> Iterator[str]:
    """What was proposed, where it is, and what to do with it."""
    found = written.proposal
    how = "cut at the canal" if found.canal is not None else "as the file of parts has them"
    yield f"{len(found.bodies)} bodies, {how} ({found.provenance}):"
    for each in found.bodies:
        volume = each.body.n_voxels * each.body.geometry.voxel_volume / 1000
        share = each.body.n_voxels / each.whole.n_voxels
        yield f"  {each.level.name:4} label {each.label:<4} {volume:6.1f} mL, {share:.0%} of it"
    for note in found.notes:
        yield f"note: {note}"
    yield f"Mask: {written.mask}"
    yield f"Picture: {written.picture}"
    yield "A proposal, drawn by no reader: look at the picture, correct the mask in 3D Slicer."


def proposal_record(written: WrittenProposal) -> dict[str, object]:
    """The same for scripts."""
    found = written.proposal
    return {
        "provenance": found.provenance,
        "cut_at_canal": found.canal is not None,
        "bodies": [
            {
                "level": each.level.name,
                "label": each.label,
                "voxels": each.body.n_voxels,
                "voxels_of_whole": each.whole.n_voxels,
            }
            for each in found.bodies
        ],
        "notes": list(found.notes),
        "mask": str(written.mask),
        "picture": str(written.picture),
    }
