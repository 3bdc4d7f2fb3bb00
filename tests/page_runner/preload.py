"""Imports every page's heavy packages once, in the process that pages are forked from.

The first optimizer imports torch._dynamo (over a second), and the first figure loads
matplotlib's fonts (half a second): both are done here, so that no page pays for them.
Nothing here may touch an accelerator: a process that has cannot be forked.
"""

import importlib
import io

import matplotlib
from PIL import Image

matplotlib.use("agg")

for name in (
    "page_runner.execute",
    "PIL.WebPImagePlugin",
    "multiprocessing.pool",
    "pandas",
    "pandas.io.formats.html",
    "torch._dynamo",
    "torchvision.datasets",
    "torchvision.transforms.v2",
):
    importlib.import_module(name)

plt = importlib.import_module("matplotlib.pyplot")
fig, ax = plt.subplots()
ax.set_title("fonts $x$")
fig.savefig(io.BytesIO(), format="svg")
plt.close(fig)
Image.preinit()  # the formats of pictures
