"""Asks every address of docs/reading.yml whether it is still there.

    python tests/tools/check_reading.py

Needs a network. Prints the addresses that lead nowhere, with the pages that name them,
and ends with 1 if there are any. A host that answers only people ("refused") is no
failure: open such an address in a browser.
"""

import http.client
import sys
import urllib.error
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

READING = Path(__file__).parents[2] / "docs" / "reading.yml"
HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; torch-pages link check)"}
TIMEOUT = 20.0  # seconds
REFUSALS = {401, 403, 418, 429}  # the host is there and wants no programs


def pages_by_address(reading: Path) -> dict[str, list[str]]:
    """Each address of the file, once, and the pages that name it."""
    pages = defaultdict(list)
    for page, places in yaml.safe_load(reading.read_text(encoding="utf-8")).items():
        for place in places:
            pages[place["address"]].append(page)
    return dict(pages)


def status(address: str) -> str:
    """What became of asking: "there", "refused", or why it leads nowhere.

    HEAD first; hosts that do not know it are asked with GET.
    """
    said = ""
    for method in ("HEAD", "GET"):
        request = urllib.request.Request(address, headers=HEADERS, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT):
                return "there"
        except urllib.error.HTTPError as error:
            said = "refused" if error.code in REFUSALS else f"status {error.code}"
        except (OSError, http.client.HTTPException) as error:
            # No such host, no answer in time, a bad certificate, or no HTTP at all.
            said = str(error)
    return said


def main() -> int:
    """Print what is not there; 1 if anything is not."""
    pages = pages_by_address(READING)
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(pages, pool.map(status, pages), strict=True))
    for address, said in answers.items():
        if said != "there":
            print(f"{address}: {said} ({', '.join(pages[address])})")
    gone = [said for said in answers.values() if said not in ("there", "refused")]
    print(f"{len(answers)} addresses, {len(gone)} lead nowhere")
    return 1 if gone else 0


if __name__ == "__main__":
    sys.exit(main())
