"""A matplotlib backend that saves each shown figure and says where on stderr.

`plt.show()` writes figures/<script>-<number>.png in the current folder, so that a page
run as plain Python stops at no window and needs no display. `matplotlibrc` names it.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

FOLDER = Path("figures")

_saved = 0  # figures of this process


class FigureManager(FigureManagerBase):
    """Shows figures by saving them."""

    @classmethod
    def pyplot_show(cls, *, block: bool | None = None) -> None:
        """Save every open figure and close it; OSError where it cannot be written."""
        global _saved
        FOLDER.mkdir(exist_ok=True)
        for number in plt.get_fignums():
            _saved += 1
            path = FOLDER / f"{Path(sys.argv[0]).stem}-{_saved}.png"
            plt.figure(number).savefig(path)
            print(f"figure saved: {path}", file=sys.stderr)
        plt.close("all")


class FigureCanvas(FigureCanvasAgg):
    """Draws as agg does."""

    manager_class = FigureManager
