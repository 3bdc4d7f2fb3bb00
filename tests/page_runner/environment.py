"""The environment variables of a page: stated here, not inherited."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

# What numbers are computed by: a run with others is another run.
COMPUTES = (
    # Which instructions torch, oneDNN and MKL use: to run pages as another processor.
    *("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_CBWR"),
    "SNIPPETS_THREADS",
)

# What is passed on: where things are on this machine, and how it reaches the network.
INHERITED = (
    *("PATH", "HOME", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
    *("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "SNIPPETS_OFFLINE"),
    *COMPUTES,
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
)

STATED = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "COLUMNS": "80",  # what pandas and argparse break their lines by
    "LINES": "24",
    "PYTHONHASHSEED": "0",
    "SNIPPETS_QUIET": "1",  # the site says under its title which data a page ran on
    # torch.cuda.is_available() then asks the driver's library and leaves the device
    # untouched; a process that has touched it cannot be forked.
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
}

MEMORY = 4  # GiB that a page may hold with all that it starts, if nobody says else

# Set in a page itself: pages that differ in nothing else share a server.
SET_BY_PAGE = {"SNIPPETS_DATA", "CUDA_VISIBLE_DEVICES", "SNIPPETS_MEMORY"}


def with_threads(number: str) -> dict[str, str]:
    """The variables by which the libraries of numbers take so many threads."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    # Threads that wait without spinning: another page may want the processor.
    return {**dict.fromkeys(names, number), "OMP_WAIT_POLICY": "PASSIVE"}


def page_environment(
    device: str, data_root: Path, overrides: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """The whole environment of the pages on a device; `overrides` comes last.

    Of the runner's own environment only `INHERITED` is passed on, so that no variable
    of a shell (`PYTHON...`, `MPL...`, a locale, a width of a terminal) changes what a
    page prints. A page has one thread, for pages run side by side, or as many as
    SNIPPETS_THREADS says, and SNIPPETS_MEMORY GiB of memory. "cpu" hides every
    accelerator. `TMPDIR` is set for each page apart, to a folder that is deleted when
    the page has ended.
    """
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    if device == "cpu":
        inherited["CUDA_VISIBLE_DEVICES"] = ""
    return {
        **inherited,
        **STATED,
        **with_threads(os.environ.get("SNIPPETS_THREADS", "1")),
        "SNIPPETS_DATA": str(data_root.resolve()),
        "SNIPPETS_MEMORY": os.environ.get("SNIPPETS_MEMORY", str(MEMORY)),
        **overrides,
    }


def memory_limit(environment: Mapping[str, str]) -> int:
    """The bytes that a page of an environment may hold."""
    return int(float(environment["SNIPPETS_MEMORY"]) * 2**30)


def over(limit: int) -> str:
    """What a page does that is over its limit, and how to raise that."""
    gib = f"{limit / 2**30:g}"
    return f"hold more than {gib} GiB of memory (SNIPPETS_MEMORY={gib} sets the limit)"
