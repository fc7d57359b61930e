"""An archive that speaks DICOMweb: QIDO-RS to find, WADO-RS to fetch, STOW-RS to send.

dicomweb-client asks and sends. What is fetched is asked for instance by instance, so that what has
arrived is known, and taken apart here, because bytes are looked at before pydicom may read them.

Source: DICOM PS3.18, 8.3 (QIDO), 10.4 (retrieve), 10.5 (store), 10.6 (search).
"""

import logging
import ssl
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import requests
from dicomweb_client.web import DICOMwebClient
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError

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
from centrum.pacs.profile import Credentials, Limits, Profile, Web, read_credentials, tls_context

PAGE = 500
"""Matches that are asked for at once."""

STUDY_FIELDS = ("StudyInstanceUID", "PatientID", "StudyDate")
SERIES_FIELDS = (
    "SeriesInstanceUID", "Modality", "SeriesDescription", "NumberOfSeriesRelatedInstances",
)  # fmt: skip
INSTANCE_FIELDS = ("SOPInstanceUID", "SOPClassUID")

FILES = 'multipart/related; type="application/dicom"; transfer-syntax=*'
ABSENT, NOT_ALLOWED = 404, (401, 403)
CHUNK = 1 << 16
STRANGE = "archive-answer"

Answer = Mapping[str, Any]


class WebArchive:
    """An archive at an address."""

    def __init__(self, profile: Profile) -> None:
        assert profile.web is not None
        self._limits, self._url = profile.limits, profile.web.url.rstrip("/")
        credentials = read_credentials(profile.credentials) if profile.credentials else None
        self._session = _session(profile.web, credentials, profile.limits)
        _hush()
        self._client = DICOMwebClient(
            self._url, session=self._session, timeout=profile.limits.seconds
        )
        self._client.set_http_retry_params(False)

    def studies(self, query: Query) -> Iterator[FoundStudy]:
        asked = {"ModalitiesInStudy": query.modality, "StudyDate": query.days}
        for patient in query.patients or ("",):
            filters = {k: v for k, v in (asked | {"PatientID": patient}).items() if v}
            search = partial(self._client.search_for_studies, search_filters=filters)
            for found in self._pages(search, STUDY_FIELDS, "series"):
                uid = checked_uid(_value(found, "StudyInstanceUID"))
                patient_id, day = (text_of(_value(found, k)) for k in STUDY_FIELDS[1:])
                yield FoundStudy(uid, patient_id, day)

    def series(self, study: FoundStudy) -> Iterator[FoundSeries]:
        search = partial(_below, self._client.search_for_series, study.uid)
        for found in self._pages(search, SERIES_FIELDS, "series"):
            yield FoundSeries(
                study.uid,
                checked_uid(_value(found, "SeriesInstanceUID")),
                text_of(_value(found, "Modality")),
                text_of(_value(found, "SeriesDescription")),
                number_of(_value(found, "NumberOfSeriesRelatedInstances")),
                study.patient,
                study.day,
            )

    def instances(self, study: str, series: str) -> Iterator[Instance]:
        search = partial(_below, self._client.search_for_instances, study, series)
        for found in self._pages(search, INSTANCE_FIELDS, "instances"):
            yield Instance(*(checked_uid(_value(found, k)) for k in INSTANCE_FIELDS))

    def _pages(
        self, search: Callable[..., list[Answer]], fields: Sequence[str], what: str
    ) -> Iterator[Answer]:
        """All matches, page by page, until one brings nothing new."""
        seen: set[object] = set()
        while True:
            with _speaking():
                found = search(fields=fields, limit=PAGE, offset=len(seen))
            new = {_value(match, fields[0]): match for match in found if isinstance(match, dict)}
            fresh = [match for uid, match in new.items() if uid not in seen]
            if not fresh:
                return
            seen |= set(new)
            check_number(len(seen), getattr(self._limits, what), what)
            yield from fresh

    def fetch(
        self, series: FoundSeries, wanted: Collection[Instance], take: Callable[[bytes], None]
    ) -> None:
        folder = f"{self._url}/studies/{series.study}/series/{series.uid}/instances"
        for instance in wanted:
            with _speaking():
                response = self._session.get(
                    f"{folder}/{instance.uid}",
                    headers={"Accept": FILES},
                    timeout=self._limits.seconds,
                )
                response.raise_for_status()
            take(_only_part(response))

    def send(self, files: Sequence[ToSend], sent: Callable[[ToSend, str], None]) -> None:
        for file in files:
            sent(file, stored(file, partial(self._store, file)))

    def close(self) -> None:
        self._session.close()

    def _store(self, file: ToSend, dataset: Dataset) -> str:
        try:
            with _speaking():
                return _refused(self._client.store_instances([dataset]), file)
        except ArchiveError as error:
            if error.code != STRANGE:
                raise
            return error.message


def _below(search: Callable[..., list[Answer]], *uids: str, **options: Any) -> list[Answer]:
    """What a search below a study finds; nothing where the archive has no such study."""
    try:
        return search(*uids, **options)
    except requests.HTTPError as error:
        if error.response.status_code == ABSENT:
            return []
        raise


def _refused(answer: Dataset, file: ToSend) -> str:
    """Why a file was not stored, "" where the answer lists it among those that were.

    Source: DICOM PS3.18, 10.5.3 and table I.1-1.
    """
    stored = answer.get("ReferencedSOPSequence") or ()
    if any(item.get("ReferencedSOPInstanceUID") == file.uid for item in stored):
        return ""
    failed = answer.get("FailedSOPSequence") or ()
    reasons = [item.get("FailureReason") for item in failed]
    told = ", ".join(f"{reason:04X}H" for reason in reasons if isinstance(reason, int))
    return f"the archive refuses it ({told})" if told else "the archive does not say that it has it"


# Answers


def _value(found: Answer, keyword: str) -> object:
    """The first value of an entry in DICOM's JSON, None where there is none."""
    entry = found.get(f"{tag_for_keyword(keyword):08X}")
    values = entry.get("Value") if isinstance(entry, dict) else None
    value = values[0] if isinstance(values, list) and values else None
    return value if isinstance(value, str | int | float) else None


def _only_part(response: requests.Response) -> bytes:
    """The one file of an answer of several parts.

    Source: RFC 2046, 5.1.1.
    """
    kind = response.headers.get("Content-Type", "")
    if kind.startswith("application/dicom"):  # some archives send the file by itself
        return response.content
    _, _, boundary = kind.partition("boundary=")
    marker = b"\r\n--" + boundary.partition(";")[0].strip(' "').encode()
    _, _, rest = (b"\r\n" + response.content).partition(marker)
    part, found, rest = rest.partition(marker)
    _, blank, content = part.partition(b"\r\n\r\n")
    if not boundary or not found or not blank or not rest.startswith(b"--"):
        raise ArchiveError(
            "The archive's answer is not the one file that was asked for.",
            remedy="Run the same command again; it goes on from what is kept.",
            code=STRANGE,
        )
    return content


# The connection


class _Bounded(HTTPAdapter):
    """Reads no more of an answer than the limits say, unpacked, and checks who answers."""

    def __init__(self, limits: Limits, context: ssl.SSLContext | None) -> None:
        self._limits, self._context = limits, context
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._context)

    def send(self, *args: Any, **options: Any) -> requests.Response:
        response = super().send(*args, **options)
        response.iter_content = partial(_bounded, response, Meter(self._limits))
        return response


def _bounded(
    response: requests.Response, meter: Meter, *_: object, **__: object
) -> Iterator[bytes]:
    """The content as it arrives, which requests would gather first."""
    try:
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            meter.count(len(chunk))
            yield chunk
    finally:
        response.close()


def _session(web: Web, credentials: Credentials | None, limits: Limits) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy, no .netrc, no other certificates than the profile's
    session.max_redirects = 0
    secure = web.url.startswith("https:")
    session.mount("http://", _Bounded(limits, None))
    session.mount("https://", _Bounded(limits, tls_context(web.tls) if secure else None))
    session.headers["Accept"] = "application/dicom+json"
    if credentials and credentials.username:
        name, password = credentials.username, credentials.password.get_secret_value()
        session.auth = HTTPBasicAuth(name.encode(), password.encode())
    elif credentials:
        session.headers["Authorization"] = f"Bearer {credentials.token.get_secret_value()}"
    return session


def _hush() -> None:
    """Libraries that would print addresses, which hold UIDs and Patient IDs, print nothing."""
    for name in ("dicomweb_client", "pydicom", "retrying", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@contextmanager
def _speaking() -> Iterator[None]:
    """What goes wrong within is told in words of our own: the libraries' hold addresses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except requests.HTTPError as error:
        raise _refusal(error.response.status_code) from None
    except requests.exceptions.SSLError as error:
        raise ArchiveError(
            f"The archive's certificate is not accepted: {_reason(error)}.",
            remedy="Give `tls: {ca: FILE}` in the profile, or ask those who run the archive.",
            code="archive-certificate",
        ) from None
    except requests.TooManyRedirects:
        raise _strange("it sends us to another address") from None
    except (requests.ConnectionError, requests.Timeout, HTTPError) as error:
        raise unreachable(type(error).__name__) from None
    except (requests.RequestException, RecursionError, ValueError, *_UNLIKE) as error:
        raise _strange(f"it cannot be understood ({type(error).__name__})") from None


_UNLIKE = (AttributeError, IndexError, KeyError, TypeError)
"""What libraries raise where an answer is built otherwise than they expect."""


def _reason(error: BaseException) -> str:
    """The words of the SSL library, which name neither address nor patient."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return found.verify_message
        inner = [a for a in (*found.args, getattr(found, "reason", None)) if a is not found]
        found = next((a for a in inner if isinstance(a, BaseException)), None)
    return "no encrypted connection comes about"


def _refusal(status: int) -> ArchiveError:
    if status in NOT_ALLOWED:
        return ArchiveError(
            f"The archive refuses us (HTTP {status}).",
            remedy="Look at the credentials of the profile, and ask for the rights.",
            code="not-allowed",
        )
    return ArchiveError(f"The archive answers with HTTP {status}.", code=STRANGE)


def _strange(why: str) -> ArchiveError:
    return ArchiveError(f"The archive's answer is not used: {why}.", code=STRANGE)
