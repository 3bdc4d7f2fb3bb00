"""Pictures of every page of the built site, to be looked at.

    PYTHONPATH=tests python -m tools.screenshots FOLDER [words of addresses ...]

writes FOLDER/<page>-<wide|phone>-<light|dark>.png.
"""

import sys
from pathlib import Path

from browser.browsing import SITE, chromium, go, served

SIZES = {"wide": (1280, 900), "phone": (390, 844)}
SCHEMES = ("light", "dark")


def main(folder: Path, words: list[str]) -> None:
    """Pictures of the pages whose address contains one of the words, or of all."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = sorted(path.name for path in SITE.glob("*.html"))
    pages = [page for page in pages if not words or any(word in page for word in words)]
    with served(SITE) as address, chromium() as browser:
        for size, (width, height) in SIZES.items():
            for scheme in SCHEMES:
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                    device_scale_factor=1 if size == "wide" else 2,
                    is_mobile=size == "phone",
                    has_touch=size == "phone",
                )
                tab = context.new_page()
                for page in pages:
                    go(tab, address + page)
                    path = folder / f"{Path(page).stem}-{size}-{scheme}.png"
                    tab.screenshot(path=path, full_page=True)
                context.close()
    print(f"{len(pages) * len(SIZES) * len(SCHEMES)} pictures in {folder}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
