"""An archive that speaks DIMSE: C-FIND to find, C-GET or C-MOVE to fetch, C-STORE to send.

Source: DICOM PS3.4, C.6.2 (Study Root), C.4.2 (C-MOVE), C.4.3 (C-GET); PS3.7, 9.1.
"""

import logging
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from socket import IPPROTO_TCP, TCP_NODELAY
from threading import Lock
from typing import Any

from pydicom import Dataset
from pynetdicom import AE, Association, build_role, evt
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind as FIND,
    StudyRootQueryRetrieveInformationModelGet as GET,
    StudyRootQueryRetrieveInformationModelMove as MOVE,
)

from centrum.errors import ArchiveError
from centrum.pacs.archive import (
    FoundSeries,
    FoundStudy,
    Instance,
    Query,
    ToSend,
    check_number,
    checked_uid,
    number_of,
    text_of,
    unreachable,
)
from centrum.pacs.instance import stored
from centrum.pacs.meter import Meter
from centrum.pacs.profile import Move, Profile, tls_context

PENDING, SUCCESS, WARNING = (0xFF00, 0xFF01), 0x0000, 0xB
REFUSED = 0xA700
AT_ONCE = 100
"""Instances that are asked for in one C-GET."""

MOST_CONTEXTS = 128
"""Of an association. Source: DICOM PS3.8, 9.3.2.2 (odd numbers to 255)."""

UNCOMPRESSED = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]
CHUNK = 1 << 16
COMPRESSED = [f"1.2.840.10008.1.2.{n}" for n in ("4.70", "4.57", "4.80", "4.90", "5")]
"""Transfer syntaxes without loss. Source: DICOM PS3.6, A."""


class DimseArchive:
    """An archive at a port."""

    def __init__(self, profile: Profile) -> None:
        assert profile.dimse is not None
        self._limits, self._dimse = profile.limits, profile.dimse
        self._context = tls_context(profile.dimse.tls) if profile.dimse.tls else None
        self._meter = Meter(profile.limits)
        self._finder: Association | None = None
        _hush()

    def studies(self, query: Query) -> Iterator[FoundStudy]:
        for patient in query.patients or ("",):
            asked = {"StudyDate": query.days, "ModalitiesInStudy": query.modality}
            wanted = _identifier("STUDY", StudyInstanceUID="", PatientID=patient, **asked)
            for found in self._find(wanted, self._limits.series, "series"):
                uid = checked_uid(found.get("StudyInstanceUID"))
                patient_id, day = (text_of(found.get(k)) for k in ("PatientID", "StudyDate"))
                yield FoundStudy(uid, patient_id, day)

    def series(self, study: FoundStudy) -> Iterator[FoundSeries]:
        wanted = _identifier("SERIES", StudyInstanceUID=study.uid, SeriesInstanceUID="",
                             Modality="", SeriesDescription="",
                             NumberOfSeriesRelatedInstances="")  # fmt: skip
        for found in self._find(wanted, self._limits.series, "series"):
            yield FoundSeries(
                study.uid,
                checked_uid(found.get("SeriesInstanceUID")),
                text_of(found.get("Modality")),
                text_of(found.get("SeriesDescription")),
                number_of(found.get("NumberOfSeriesRelatedInstances")),
                study.patient,
                study.day,
            )

    def instances(self, study: str, series: str) -> Iterator[Instance]:
        wanted = _identifier("IMAGE", StudyInstanceUID=study, SeriesInstanceUID=series,
                             SOPInstanceUID="", SOPClassUID="")  # fmt: skip
        for found in self._find(wanted, self._limits.instances, "instances"):
            names = (found.get("SOPInstanceUID"), found.get("SOPClassUID"))
            yield Instance(*map(checked_uid, names))

    def _find(self, wanted: Dataset, most: int, what: str) -> list[Dataset]:
        """All matches; searches share a connection, which takes longer to open than they do."""
        if self._finder is None or not self._finder.is_established:
            self._finder = self._open([build_context(FIND)], self._meter)
        self._meter.restart()
        found: list[Dataset] = []
        with _speaking(self._meter):
            for status, match in self._finder.send_c_find(wanted, FIND):
                if _code(status) not in PENDING or match is None:
                    _check(status)
                elif len(found) < most:
                    found.append(match)
                else:
                    self._finder.abort(block=False)
                    check_number(most + 1, most, what)
        return found

    def close(self) -> None:
        if self._finder is not None:
            _end(self._finder)

    def fetch(
        self, series: FoundSeries, wanted: Collection[Instance], take: Callable[[bytes], None]
    ) -> None:
        meter = Meter(self._limits)
        taking = (evt.EVT_C_STORE, _take, [take, meter, Lock()])
        for some in _parts(tuple(wanted), AT_ONCE):
            meter.restart()
            uids = [instance.uid for instance in some]
            asked = _identifier("IMAGE", StudyInstanceUID=series.study,
                                SeriesInstanceUID=series.uid, SOPInstanceUID=uids)  # fmt: skip
            classes = sorted({instance.sop_class for instance in some})
            try:
                if self._dimse.move is None:
                    self._get(asked, classes, taking, meter)
                else:
                    self._move(self._dimse.move, asked, classes, taking, meter)
            except ArchiveError as error:
                raise meter.error or error from None
            if meter.error is not None:
                raise meter.error

    def _get(self, asked: Dataset, classes: Sequence[str], taking: Any, meter: Meter) -> None:
        contexts = [build_context(GET), *(c for uid in classes for c in _contexts(uid))]
        roles = [build_role(uid, scp_role=True) for uid in classes]
        with self._association(contexts[:MOST_CONTEXTS], meter, roles, [taking]) as association:
            _finish(association.send_c_get(asked, GET))

    def _move(
        self, move: Move, asked: Dataset, classes: Sequence[str], taking: Any, meter: Meter
    ) -> None:
        """Listen, for as long as the archive sends, to the archive alone."""
        entity, own = self._entity(()), Meter(self._limits)
        entity.supported_contexts = [c for uid in classes for c in _contexts(uid)]
        entity.require_called_aet, entity.require_calling_aet = True, [self._dimse.called]
        tls = self._dimse.tls
        server = entity.start_server(
            (move.address, move.port),
            block=False,
            ssl_context=tls_context(tls, listening=True) if tls else None,
            evt_handlers=[(evt.EVT_CONN_OPEN, _count_bytes, [meter, self._limits.seconds]), taking],
        )
        try:
            with self._association([build_context(MOVE)], own) as association:
                _finish(association.send_c_move(asked, self._dimse.calling, MOVE))
        finally:
            server.shutdown()

    def send(self, files: Sequence[ToSend], sent: Callable[[ToSend, str], None]) -> None:
        kinds = sorted({(file.sop_class, file.syntax) for file in files})
        for some in _parts(kinds, MOST_CONTEXTS):
            contexts = [build_context(*kind) for kind in some]
            meter = Meter(self._limits)
            with self._association(contexts, meter) as association:
                accepted = {(c.abstract_syntax, c.transfer_syntax[0])
                            for c in association.accepted_contexts}  # fmt: skip
                for file in files:
                    kind = (file.sop_class, file.syntax)
                    meter.restart()
                    if kind in accepted:
                        sent(file, stored(file, partial(_store, association)))
                    elif kind in some:
                        sent(file, "the archive takes no objects of this kind and encoding")

    @contextmanager
    def _association(
        self,
        contexts: Iterable[PresentationContext],
        meter: Meter,
        roles: Sequence[Any] = (),
        handlers: Sequence[Any] = (),
    ) -> Iterator[Association]:
        """A connection for one purpose."""
        association = self._open(contexts, meter, roles, handlers)
        try:
            with _speaking(meter):
                yield association
        finally:
            _end(association)

    def _open(
        self,
        contexts: Iterable[PresentationContext],
        meter: Meter,
        roles: Sequence[Any] = (),
        handlers: Sequence[Any] = (),
    ) -> Association:
        opened = (evt.EVT_CONN_OPEN, _count_bytes, [meter, self._limits.seconds])
        with _speaking(meter):
            association = self._entity(contexts).associate(
                self._dimse.host,
                self._dimse.port,
                ae_title=self._dimse.called,
                ext_neg=list(roles),
                evt_handlers=[opened, *handlers],
                tls_args=(self._context, self._dimse.host) if self._context else None,
            )
        if not association.is_established:
            raise meter.error or _not_established(association)
        return association

    def _entity(self, contexts: Iterable[PresentationContext]) -> AE:
        entity = AE(self._dimse.calling)
        entity.requested_contexts = list(contexts)
        seconds = self._limits.seconds
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = seconds
        entity.connection_timeout = seconds
        return entity


class _Lost(Exception):
    """The connection is no longer there."""


@contextmanager
def _speaking(meter: Meter) -> Iterator[None]:
    """What goes wrong within is told in words of our own: the libraries' may hold anything."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except _STRANGE as error:
        raise ArchiveError(
            f"The archive's answer is not used: it cannot be understood ({type(error).__name__}).",
            code="archive-answer",
        ) from None
    except (_Lost, RuntimeError):  # as pynetdicom calls a connection that is no longer there
        raise meter.error or unreachable("the connection broke off") from None


_STRANGE = (
    AttributeError, IndexError, KeyError, NotImplementedError, RecursionError, TypeError,
    ValueError,
)  # fmt: skip
"""What pydicom and pynetdicom raise where an answer is built otherwise than they expect."""


def _finish(answers: Iterator[tuple[Dataset, Dataset | None]]) -> None:
    """Wait for the end of a C-GET or C-MOVE."""
    for status, _ in answers:
        if _code(status) not in PENDING:
            _check(status)


def _take(event: evt.Event, take: Callable[[bytes], None], meter: Meter, lock: Lock) -> int:
    """Called for each C-STORE that arrives; after what is refused nothing more is accepted."""
    with lock:
        if meter.error is None:
            try:
                take(event.encoded_dataset())
                meter.restart()
                return SUCCESS
            except Exception as error:
                meter.error = error
    return REFUSED


def _count_bytes(event: evt.Event, meter: Meter, seconds: float) -> None:
    """Count what arrives at a connection that opens; what is announced counts, too."""
    link = event.assoc.dul.socket
    link.socket.settimeout(seconds)
    # Else each message waits for the last one's acknowledgement: 0.1 s for every instance.
    link.socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)

    def receive(n: int) -> bytearray:
        found = bytearray()
        try:
            meter.count(n)
            while len(found) < n and (some := link.socket.recv(min(n - len(found), CHUNK))):
                found += some
                meter.count(0)
        except OSError:
            raise
        except Exception as error:
            meter.error = error
            raise OSError from error
        return found

    link.recv = receive


def _end(association: Association) -> None:
    """Release a connection that is as it should be, and break off any other."""
    if association.is_established:
        association.release()
    elif association.is_alive():
        association.abort(block=False)


def _not_established(association: Association) -> ArchiveError:
    if association.is_rejected:
        return ArchiveError(
            "The archive refuses us: it does not know one of the titles of the profile.",
            remedy="Ask for `calling` to be registered, and for the archive's own title, `called`.",
            code="not-allowed",
        )
    if association.rejected_contexts:
        return ArchiveError(
            "The archive takes none of these kinds of objects, or does not answer such requests.",
            remedy="Use `web` in the profile, if the archive speaks DICOMweb.",
            code="not-allowed",
        )
    return unreachable("no connection comes about")


def _store(association: Association, dataset: Dataset) -> str:
    """Why an object was not stored, "" where it was."""
    if not association.is_established:
        raise _Lost
    status = _code(association.send_c_store(dataset))
    if status is None:
        raise _Lost
    taken = status == SUCCESS or status >> 12 == WARNING
    return "" if taken else f"the archive refuses it ({status:04X}H)"


def _check(status: Dataset) -> None:
    """Refuses what is neither a success nor a warning."""
    code = _code(status)
    if code is None:
        raise _Lost
    if code != SUCCESS and code >> 12 != WARNING:
        raise ArchiveError(
            f"The archive answers with the failure {code:04X}H.", code="archive-answer"
        )


def _code(status: Dataset) -> int | None:
    """None where no answer came."""
    found = status.get("Status")
    return found if isinstance(found, int) else None


def _contexts(sop_class: str) -> tuple[PresentationContext, ...]:
    """Uncompressed or, where the archive has it so, compressed without loss."""
    return build_context(sop_class, UNCOMPRESSED), build_context(sop_class, COMPRESSED)


def _identifier(level: str, **wanted: Any) -> Dataset:
    found = Dataset()
    found.QueryRetrieveLevel = level
    for keyword, value in wanted.items():
        setattr(found, keyword, value)
    return found


def _parts(items: Sequence[Any], n: int) -> Iterator[Sequence[Any]]:
    return (items[k : k + n] for k in range(0, len(items), n))


def _hush() -> None:
    """Libraries that would print which patients are asked for print nothing."""
    for name in ("pydicom", "pynetdicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
