"""Random protocols through every stage: each ends in a result, or in a refusal in plain words.

    python benchmarks/protocols.py              # 300 protocols, 2 at a time
    N=20 SEED=5 python benchmarks/protocols.py  # 20 of another seed
    python benchmarks/protocols.py --only 17    # one, in build/protocols, whose folder stays

Each study (see `random_protocols.py`) runs in a process of its own, with limits of time and memory,
to the report, every fifth to the manuscript. Then its files are looked at: no score and no cell
is NaN, model.json and the printed formula give the scores, a second run changes nothing. What was
tried with the same code is in build/protocols/*.jsonl and not tried again; the folder of a fault is
kept. POSIX only: studies are forked.
"""

import argparse
import contextlib
import csv
import io
import json
import multiprocessing as mp
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from random_protocols import MARK, draw

from centrum import cli
from centrum.commands import check as checking, study as verbs
from centrum.commands.manuscript import write_manuscript
from centrum.errors import CentrumError
from centrum.features.feature_id import FeatureId
from centrum.features.recognise import recognise
from centrum.frozen.model import read_model
from centrum.study import tables as tabular
from centrum.study.study import Study, open_study
from centrum.table import FeatureTable
from centrum.validation.matrix import Matrix, study_matrix

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "protocols"

SECONDS = 300
"""Of a processor; a study that takes more is a fault. Most take 10 s."""

WAIT = 3600
"""Seconds after which a study is given up that computes nothing."""

MEMORY = 4 << 30
"""Bytes that the process of a study may have."""

ENDS = ("result", "refused", "fault")
OK, CASES_FAILED, BAD_INPUT = 0, 1, 2
MANUSCRIPT_EVERY = 5
EXACT = 1e-9
PRINTED = 1e-6
"""Largest relative difference of a score computed by hand."""

NOT_A_NUMBER = re.compile(r"(?<![A-Za-z0-9+/=])nan(?![A-Za-z0-9+/=])", re.IGNORECASE)
"""The word alone, not letters within the base64 of a picture."""

Record = dict[str, Any]


def with_sequence(name: str) -> FeatureId:
    """A table's column with the sequence before its mark: tables themselves have none."""
    sequence, mark, rest = name.rpartition(MARK)
    return replace(recognise(rest), sequence=sequence, label=name.replace(MARK, " ")) if mark else (
        recognise(name)
    )  # fmt: skip


def tried(seed: int, k: int, folder: Path) -> Record:
    """One study, drawn, run and looked at."""
    drawn = draw(seed, k)
    folder.mkdir(parents=True)
    for name, text in drawn.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    record: Record = {"told": drawn.told}
    try:
        foreseen = [f.code for f in checking.foresee_run(folder)[0].stops]
        checked = checking.check_study(folder)
        record |= {"foreseen": foreseen, "checked": [f.code for f in checked.stops]}
        return record | {"end": "result", "faults": _run(folder, manuscript=of_manuscript(k))}
    except CentrumError as error:
        told = {"end": "refused", "code": error.code, "message": str(error)}
        return record | told | {"faults": _of_refusal(folder, error)}
    except Exception as error:
        return record | {"end": "fault", "faults": [_named(error)]}


def of_manuscript(k: int) -> bool:
    """Whether a study goes on to the manuscript."""
    return k % MANUSCRIPT_EVERY == 0


def _named(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}: {error}"[:500]


def _run(folder: Path, *, manuscript: bool) -> list[str]:
    """Every stage; the faults that its files show."""
    study = open_study(folder)
    verbs.run(study)
    if manuscript:
        write_manuscript(study)
    before = _contents(study.results)
    code, said = by_command_line(folder)
    return [
        *_nan_in_files(before),
        *_of_scores(study),
        *([] if code in (OK, CASES_FAILED) else [f"the command line ends with {code}: {said}"]),
        *(f"a second run changes {name}" for name in _changed(before, _contents(study.results))),
    ]


def _of_refusal(folder: Path, error: CentrumError) -> list[str]:
    """A refusal says what to do, and the command line says the same."""
    code, said = by_command_line(folder)
    silent = [] if error.message.strip() and error.remedy else ["a refusal without words"]
    ours = "report this" in str(error)  # a fault that we know of, and no fault of the study
    odd = any(word in f"{error} {said}" for word in ("-inf", "Traceback", "np.", "array("))
    strange = NOT_A_NUMBER.search(str(error)) or odd or ours
    return [
        *silent,
        *([f"the words of a refusal: {error}"] if strange else []),
        *([] if code == BAD_INPUT else [f"the command line ends with {code}: {said[-300:]}"]),
    ]


def by_command_line(folder: Path) -> tuple[int, str]:
    """Exit code of `centrum run`, and what it said on standard error."""
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["centrum", "run", str(folder), "--workers", "1", "--json"]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as end:
            return int(end.code or 0), err.getvalue()
    return OK, err.getvalue()


def _contents(results: Path) -> dict[str, bytes]:
    """Files for people; the store and digests of times are left aside."""
    kept = (".html", ".csv", ".md")
    files = [p for p in results.rglob("*") if p.suffix in kept and p.is_file()]
    return {str(p.relative_to(results)): p.read_bytes() for p in sorted(files)}


def _changed(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    return [name for name in before if after.get(name) != before[name]]


def _nan_in_files(files: dict[str, bytes]) -> Iterator[str]:
    for name, content in files.items():
        text = content.decode()
        if found := NOT_A_NUMBER.search(text):
            near = text[max(found.start() - 60, 0) : found.end() + 20].replace("\n", " ")
            yield f"{name} says {near!r}"


def _of_scores(study: Study) -> Iterator[str]:
    """Whether the scores are numbers, and those of the frozen model."""
    scores = pd.read_csv(study.results / "scores.csv")
    trained = scores["part"] == "train"
    if (
        not np.isfinite(scores["score"]).all()
        or not np.isfinite(scores["out_of_fold"][trained]).all()
    ):
        yield "scores.csv has scores that are no numbers"
    model = read_model(study.results / "model.json")
    matrix = study_matrix(FeatureTable.load(study.results), study.protocol)
    at = [matrix.names.index(name) for name in model.scorer.features]
    batch = None if matrix.batch is None else [str(b) for b in matrix.batch]
    found = model.scorer.score(matrix.X[:, at, 0], batch)
    away = np.abs(found - scores["score"]) / np.maximum(1, np.abs(scores["score"]))
    if not away.max() < EXACT:
        yield f"model.json scores {int((away >= EXACT).sum())} cases otherwise than scores.csv"
    if model.scorer.linear:
        clip = study.protocol.model.clip or np.inf
        yield from _of_formula(study.results / "tables", matrix, clip, scores["score"].to_numpy())


def _of_formula(tables: Path, matrix: Matrix, clip: float, scores: np.ndarray) -> Iterator[str]:
    """Whether the sum that the tables print is the score, of cases whose gaps they can fill."""
    rows = _rows(tables / "score.csv")
    moved = {
        (row["Column name"], list(row.values())[2]): (row["Location"], row["Scale"])
        for row in _rows(tables / "harmonisation.csv")
    }
    found = np.full(len(scores), float(rows[0]["Coefficient per SD"]))
    for row in rows[1:]:
        x = matrix.X[:, matrix.names.index(row["Column name"]), 0]
        x = np.where(np.isnan(x), float(row.get("If missing") or "nan"), x)
        usual = row["Mean"], row["SD"]
        batch = [""] * len(x) if matrix.batch is None else map(str, matrix.batch)
        at, scale = np.array(
            [moved.get((row["Column name"], b), usual) for b in batch], dtype=float
        ).T
        found += float(row["Coefficient per SD"]) * np.clip((x - at) / scale, -clip, clip)
    away = np.abs(found - scores) / np.maximum(1, np.abs(scores))
    if (away > PRINTED).any():  # where a gap cannot be filled by hand it is NaN
        yield f"the printed formula scores {int((away > PRINTED).sum())} cases otherwise"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") if path.exists() else io.StringIO() as stream:
        return list(csv.DictReader(stream))


# Processes


def _child(seed: int, k: int, folder: Path, out: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    with (folder.parent / f"{folder.name}.log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        record = tried(seed, k, folder)
        out.write_text(json.dumps(record | {"seconds": round(time.process_time(), 1)}))


def tried_apart(seed: int, wanted: list[int], at_once: int) -> Iterator[tuple[int, Record]]:
    """Every study in a process of its own; numbers and records as they end."""
    waiting, running = list(wanted), dict[int, tuple[BaseProcess, float]]()
    fork = mp.get_context("fork")
    while waiting or running:
        while waiting and len(running) < at_once:
            k = waiting.pop(0)
            folder = _folder(seed, k)
            shutil.rmtree(folder, ignore_errors=True)
            process = fork.Process(target=_child, args=(seed, k, folder, _out(folder)))
            process.start()
            running[k] = process, time.monotonic()
        time.sleep(0.05)
        for k, (process, began) in list(running.items()):
            took = time.monotonic() - began
            if process.is_alive() and took < WAIT:
                continue
            process.kill()
            process.join()
            del running[k]
            yield k, _ended(_folder(seed, k), process.exitcode, took)


def _folder(seed: int, k: int) -> Path:
    return BUILD / f"{seed}-{k}"


def _out(folder: Path) -> Path:
    return folder.with_suffix(".json")


def _ended(folder: Path, code: int | None, took: float) -> Record:
    """What the process left, and what it left behind taken away where nothing is wrong."""
    out, log = _out(folder), folder.parent / f"{folder.name}.log"
    if out.exists():
        record: Record = json.loads(out.read_text())
    else:
        why = {-signal.SIGXCPU: "took too long", -signal.SIGKILL: "waited too long"}
        told = why.get(code or 0, f"died, exit code {code}")
        record = {"end": "fault", "faults": [f"{told}: {log.read_text()[-300:]}"]}
        record["seconds"] = round(took, 1)
    if record["faults"]:
        record["end"] = "fault"
    else:
        shutil.rmtree(folder, ignore_errors=True)
        log.unlink(missing_ok=True)
    out.unlink(missing_ok=True)
    return record


# What was tried


def version() -> str:
    """The code as git knows it; with changes that are not committed, nothing is resumed."""
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    found = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def known(path: Path, code: str) -> dict[int, Record]:
    """Records of the same code, by the number of the study."""
    if not path.exists() or code.endswith("-dirty"):
        return {}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {row["k"]: row for row in rows if row["code_version"] == code}


def summary(records: dict[int, Record]) -> Iterator[str]:
    """How the studies ended, by kind."""
    rows = records.values()
    ends = Counter(row["end"] for row in rows)
    yield ", ".join(f"{ends[end]} {end}" for end in ENDS)
    yield f"  {sum(row['seconds'] for row in rows):.0f} s of a processor"
    for code, n in Counter(r["code"] for r in rows if r["end"] == "refused").most_common():
        example = next(k for k, r in records.items() if r["end"] == "refused" and r["code"] == code)
        unseen = sum(r["end"] == "refused" and r["code"] == code and not r["checked"] for r in rows)
        yield f"  refused: {n:3} {code}, {unseen} not foreseen by check (such as {example})"
    wrongly = [k for k, r in records.items() if r["end"] == "result" and r["checked"]]
    if wrongly:
        yield f"  check foresaw a stop that did not come: {wrongly}"
    for k, row in sorted(records.items()):
        yield from (f"  {k}: {fault}" for fault in row["faults"])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=int(os.environ.get("N") or 300))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 2024))
    parser.add_argument("--only", type=int, nargs="*", help="numbers of studies to try again")
    parser.add_argument("--at-once", type=int, default=2, help="processes")
    settings = parser.parse_args()
    tabular.recognise = with_sequence  # type: ignore[attr-defined]
    BUILD.mkdir(parents=True, exist_ok=True)
    path, code = BUILD / f"{settings.seed}.jsonl", version()
    done = {} if settings.only else known(path, code)
    records = {k: row for k, row in done.items() if k < settings.n}
    wanted = settings.only or [k for k in range(settings.n) if k not in records]
    print(
        f"seed {settings.seed}, code {code}: {len(records)} tried before, {len(wanted)} to do",
        flush=True,
    )
    with path.open("a") as stream:
        for k, record in tried_apart(settings.seed, wanted, settings.at_once):
            records[k] = {"k": k, "code_version": code, **record}
            stream.write(json.dumps(records[k]) + "\n")
            stream.flush()
            print(f"{k:4} {record['seconds']:6.1f} s {record['end']} {record.get('code', '')}",
                  *record["faults"][:1], flush=True)  # fmt: skip
    print("\n".join(summary(records)))
    return int(any(row["end"] == "fault" for row in records.values()))


if __name__ == "__main__":
    sys.exit(main())
