"""Extract when told to: the loop that every tool's process runs, in its own environment.

A request is one line of JSON on standard input, the reply one line on standard output.
`{"do": "load", ...}` reads a case and prepares the work; `run` does it once and replies with
CPU and wall seconds; `values` does it and replies with the features; `peak` does it and
replies with the memory it needed, in bytes. Plain enough for the Python of every peer.
"""

import json
import os
import resource
import sys
import time


def serve(load):
    """Answer requests until standard input ends; `load` turns a task into a function."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is not a reply
    work = None
    for line in sys.stdin:
        task = json.loads(line)
        try:
            if task["do"] == "load":
                work = load(task)
                reply = {}
            else:
                reply = {"run": timed, "values": values, "peak": peak}[task["do"]](work)
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)


def timed(work):
    """CPU seconds of all threads, wall seconds, number of features; CPU since the start."""
    wall, cpu = time.perf_counter(), time.process_time()
    features = work()
    total, wall = time.process_time(), time.perf_counter() - wall
    return {"cpu": total - cpu, "wall": wall, "features": len(features), "since_start": total}


def values(work):
    """The features by name; what is no number, as text."""
    return {"values": {name: _plain(value) for name, value in work().items()}}


def _plain(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


def peak(work):
    """Resident bytes before the work, and the most during it."""
    before = _forget_peak()
    work()
    return {"before": before, "peak": _status("VmHWM") or _highest()}


def _forget_peak():
    """Let the kernel begin to count the highest resident size anew (Linux, proc(5))."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return _highest()
    return _status("VmRSS")


def _status(key):
    try:
        with open("/proc/self/status") as file:
            return next((int(x.split()[1]) << 10 for x in file if x.startswith(key)), 0)
    except OSError:
        return 0


def _highest():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
