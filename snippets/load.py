"""MNIST, CIFAR-10 and the Pima diabetes table as tensors in memory.

The data root is the folder that SNIPPETS_DATA names, else data/ in the current folder.
It holds MNIST/raw/*-ubyte, cifar10.npz and diabetes.csv.gz. What is missing there is
downloaded. Where that fails, or SNIPPETS_OFFLINE=1 forbids it, a stand-in of the same
shapes and classes is drawn, once, into stand-in/ of the data root. Both are said on
stderr, unless SNIPPETS_QUIET=1 (`used` says what was loaded in any case).
Data that is neither is used as well, and called unknown.

    python load.py      fetches what is missing, and says what is there
"""

import gzip
import hashlib
import http.client
import io
import json
import math
import os
import shutil
import socket
import sys
import tempfile
import urllib.request
import warnings
import zipfile
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, redirect_stderr
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from filelock import FileLock
from torch import Generator, Tensor

CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)

# What was loaded, by data set: "real", "stand-in" or "unknown"; and a fingerprint of
# the content.
used: dict[str, str] = {}

# What is real: each known copy of a set, by its name and fingerprint, and what was done
# to it if it is not the original. Besides, CIFAR-10 as this file downloads it, whose
# files torchvision checks one by one: see _CHECKED.
COPIES = {
    "mnist 6bbc9ace": "",
    "cifar10 4140103b": "every picture went through JPEG once",
    "diabetes a201965c": "",
}

_MNIST_MD5 = {  # in the order of ImageData
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
_MNIST_COUNTS = {"train": 60_000, "t10k": 10_000}
_CIFAR10_COUNTS = {"train": 50_000, "test": 10_000}
_DIABETES_SHA256 = "a201965cd284ed66b03b387f8348d839f5989b72959a6dbd42bb62f3350e37e1"
_DIABETES_URL = (
    "https://raw.githubusercontent.com/hunkim/PyTorchZeroToAll/"
    "8440894e621e3922a394da25b4a0806bdabee21c/data/diabetes.csv.gz"
)
_NETWORK_TIMEOUT = 10  # seconds without an answer
_CHECKED = "cifar10.checked"  # holds the fingerprint of the arrays that were downloaded
_STAND_IN = "stand-in"  # call it stand-in-2 when a drawing changes
_FONTS = (  # of those that come with matplotlib
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique"),
    *("DejaVuSerif", "DejaVuSerif-Italic", "cmr10", "cmb10", "cmss10", "cmti10"),
    *("cmtt10", "STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol"),
)


class DataError(RuntimeError):
    """Data is damaged or has no place; the message says which, and what to do."""


class ImageData(NamedTuple):
    """Images (uint8) and labels (int64), to train on and to test on."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


class TableData(NamedTuple):
    """Features (float32) and labels (int64), a row per sample."""

    features: Tensor
    labels: Tensor


class _Source(NamedTuple):
    """How to read a data set, and the two ways to get it.

    `read` takes a folder and whether it holds the real data; it returns content and
    fingerprint, and raises FileNotFoundError or DataError. The others write the files
    into a folder.
    """

    name: str
    read: Callable[[Path, bool], tuple[Any, str]]
    download: Callable[[Path], None]
    draw: Callable[[Path], None]


def mnist() -> ImageData:
    """MNIST: images (60000, 28, 28) and (10000, 28, 28), labels 0 to 9.

    Raises DataError where a file is damaged.
    """
    raw = mnist_root() / "MNIST" / "raw"
    return ImageData(*(_read_idx(raw / name) for name in _MNIST_MD5))


def mnist_root() -> Path:
    """The folder to give to torchvision.datasets.MNIST. Raises DataError as well."""
    return _obtain(_Source("mnist", _check_mnist, _download_mnist, _draw_mnist))


def cifar10() -> ImageData:
    """CIFAR-10: images (50000, 3, 32, 32) and (10000, 3, 32, 32), labels 0 to 9.

    CIFAR10_CLASSES names the labels. Raises DataError where the file is damaged.
    """
    return _obtain(_Source("cifar10", _read_cifar10, _download_cifar10, _draw_cifar10))


def diabetes() -> TableData:
    """Pima diabetes: features (759, 8) in [-1, 1], labels 0 (diabetes) and 1 (none).

    The columns are pregnancies, glucose, blood pressure, skin thickness, insulin,
    body mass index, pedigree and age. Raises DataError where the file is damaged.
    """
    table = torch.from_numpy(_read_table(diabetes_file()))
    return TableData(table[:, :-1].contiguous(), table[:, -1].long())


def diabetes_file() -> Path:
    """The path of that table: gzipped lines, label last. Raises DataError as well."""
    return _obtain(
        _Source("diabetes", _check_diabetes, _download_diabetes, _draw_diabetes)
    )


def _root() -> Path:
    """The data root, which each call looks up anew."""
    return Path(os.environ.get("SNIPPETS_DATA") or "data").absolute()


def _obtain(source: _Source) -> Any:
    """The content of the real data, or else of the stand-in; noted in `used`."""
    root = _root()
    kind, found = "real", _find(source, root, real=True) or _download(source, root)
    if found is None:
        folder = root / _STAND_IN
        kind, found = "stand-in", _find(source, folder, real=False)
        try:
            found = found or _make(source, root, folder, real=False)
        except OSError as error:
            cure = "set SNIPPETS_DATA to a folder that can"
            raise DataError(f"{root} cannot be written ({error}); {cure}") from error
    content, fingerprint = found
    if kind == "real" and not _is_known(f"{source.name} {fingerprint}", root):
        kind = "unknown"
    if kind == "unknown" and source.name not in used:
        with _quiet():
            print(
                f"{source.name}: the data in {root} is no copy that load.py knows "
                f"({fingerprint}).\nNumbers may differ from those of the real data.",
                file=sys.stderr,
            )
    used[source.name] = f"{kind} {fingerprint}"
    return content


def _is_known(copy: str, root: Path) -> bool:
    """Whether a copy is on the list, or was noted when it was downloaded."""
    note = root / _CHECKED
    return copy in COPIES or (note.is_file() and note.read_text() == copy)


def _find(source: _Source, folder: Path, real: bool) -> tuple[Any, str] | None:
    """Content and fingerprint, if there; damaged real data is left to the user."""
    try:
        return source.read(folder, real)
    except FileNotFoundError:
        return None
    except DataError:
        if real:
            raise
        return None


def _download(source: _Source, root: Path) -> tuple[Any, str] | None:
    """Content and fingerprint; None where that fails, once with a message."""
    if used.get(source.name, "").startswith("stand-in"):
        return None
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_NETWORK_TIMEOUT)
    try:
        if os.environ.get("SNIPPETS_OFFLINE") == "1":
            raise OSError("SNIPPETS_OFFLINE=1")
        with _quiet():
            return _make(source, root, root, real=True)
    except DataError:
        reason = "what came was damaged"
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
    finally:
        socket.setdefaulttimeout(timeout)
    with _quiet():
        print(
            f"{source.name}: the data is not in {root} and was not downloaded "
            f"({reason}).\nA drawn stand-in takes its place: every number will differ "
            "from those of the real data.\n"
            "To get that, run again with a network, or put the files there.",
            file=sys.stderr,
        )
    return None


def _quiet() -> AbstractContextManager[object]:
    """Meanwhile nothing goes to stderr, if SNIPPETS_QUIET=1."""
    if os.environ.get("SNIPPETS_QUIET") == "1":
        return redirect_stderr(io.StringIO())
    return nullcontext()


def _make(source: _Source, root: Path, folder: Path, real: bool) -> tuple[Any, str]:
    """Download or draw, unless another process has just done so."""
    part = root / f".{source.name}.part"
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f".{source.name}.lock"):
        if found := _find(source, folder, real):
            return found
        shutil.rmtree(part, ignore_errors=True)  # of a process that was killed
        part.mkdir()
        try:
            (source.download if real else source.draw)(part)
            source.read(part, real)  # nothing damaged gets any further
            for path in [path for path in part.rglob("*") if path.is_file()]:
                target = folder / path.relative_to(part)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return source.read(folder, real)


def _damaged(path: Path, problem: object) -> DataError:
    cure = "delete it and run again: it will be downloaded"
    return DataError(f"{path} is damaged ({problem}); {cure}")


def _check_mnist(root: Path, real: bool) -> tuple[Path, str]:
    """The root itself, and the head of the md5 of the training images."""
    raw = root / "MNIST" / "raw"
    expected = _MNIST_MD5 if real else _read_md5(raw / "md5.json")
    for name in _MNIST_MD5:
        if _md5(raw / name) != expected.get(name):
            raise _damaged(raw / name, "its md5 is not the expected one")
    return root, expected["train-images-idx3-ubyte"][:8]


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def _read_md5(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise _damaged(path, error) from error


def _read_idx(path: Path) -> Tensor:
    """An idx file: images (N, 28, 28) as uint8, or labels (N,) as int64."""
    data = np.fromfile(path, np.uint8)
    start = 4 + 4 * int(data[3])  # data[3] is the number of dimensions
    shape = data[4:start].view(">i4").tolist()
    array = torch.from_numpy(data[start:].reshape(shape))
    return array.long() if array.ndim == 1 else array


def _write_idx(path: Path, array: Tensor) -> None:
    """Write a uint8 tensor as an idx file."""
    header = np.array([0x0800 + array.ndim, *array.shape], ">i4")
    path.write_bytes(header.tobytes() + array.numpy().tobytes())


def _download_mnist(folder: Path) -> None:
    from torchvision.datasets import MNIST

    MNIST(folder, download=True)
    for archive in folder.rglob("*.gz"):
        archive.unlink()


def _draw_mnist(folder: Path) -> None:
    """Write pictures of printed digits, distorted, as the four files of MNIST."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    generator = Generator().manual_seed(0)
    glyphs = _draw_glyphs()
    for split, count in _MNIST_COUNTS.items():
        labels = torch.randperm(count, generator=generator) % 10
        batches = [_draw_digits(y, glyphs, generator) for y in labels.split(1000)]
        _write_idx(raw / f"{split}-images-idx3-ubyte", torch.cat(batches))
        _write_idx(raw / f"{split}-labels-idx1-ubyte", labels.byte())
    digests = {name: _md5(raw / name) for name in _MNIST_MD5}
    (raw / "md5.json").write_text(json.dumps(digests))


def _draw_glyphs() -> Tensor:
    """The ten digits in each font, a little blurred: (fonts, 10, 1, 56, 56)."""
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    glyphs = np.zeros((len(_FONTS), 10, 1, 56, 56), np.float32)
    for i, name in enumerate(_FONTS):
        path = Path(get_data_path(), "fonts", "ttf", f"{name}.ttf")
        font = ImageFont.truetype(str(path), 60)
        for digit in range(10):
            page = Image.new("L", (100, 100))
            ImageDraw.Draw(page).text((20, 10), str(digit), fill=255, font=font)
            ink = page.crop(page.getbbox())
            ink = ink.resize((ink.width * 40 // ink.height, 40))
            left = 28 - ink.width // 2
            glyphs[i, digit, 0, 8:48, left : left + ink.width] = np.asarray(ink) / 255
    flat = torch.from_numpy(glyphs).flatten(0, 1)
    return F.avg_pool2d(flat, 5, stride=1, padding=2).unflatten(0, (-1, 10))


def _draw_digits(labels: Tensor, glyphs: Tensor, generator: Generator) -> Tensor:
    """A picture for each label, in a font and distortion of its own: (N, 28, 28)."""
    n = len(labels)
    fonts = torch.randint(len(glyphs), (n,), generator=generator)
    random = 2 * torch.rand(7, n, generator=generator) - 1
    angle, shear, (right, down) = 0.3 * random[0], 0.3 * random[1], 0.08 * random[2:4]
    width, height = 1.1 + 0.15 * random[4:6]
    rows = [width * angle.cos(), width * (shear - angle.sin()), right]
    rows += [height * angle.sin(), height * angle.cos(), down]
    affine = torch.stack(rows, dim=1).reshape(n, 2, 3)
    grid = F.affine_grid(affine, [n, 1, 28, 28], align_corners=False)
    bend = 0.09 * torch.randn(n, 2, 4, 4, generator=generator)
    bend = F.interpolate(bend, (28, 28), mode="bilinear", align_corners=True)
    grid = grid + bend.permute(0, 2, 3, 1)
    ink = F.grid_sample(glyphs[fonts, labels], grid, align_corners=False).squeeze(1)
    thinness = 0.375 + 0.175 * random[6]
    ink = (0.5 + 3 * (ink - thinness[:, None, None])).clamp(0, 1)  # a sharper edge
    ink = ink * (1 + 0.1 * torch.randn(n, 28, 28, generator=generator))
    return (255 * ink.clamp(0, 1)).byte()


def _read_cifar10(root: Path, real: bool) -> tuple[ImageData, str]:
    """The arrays of cifar10.npz, and a hash of their CRC-32s."""
    path = root / "cifar10.npz"
    arrays, checksums = [], ""
    with path.open("rb") as file:
        try:
            archive = zipfile.ZipFile(file)
            for split, count in _CIFAR10_COUNTS.items():
                images = _read_array(archive, f"x_{split}.npy")
                labels = _read_array(archive, f"y_{split}.npy")
                arrays += [_channels_first(images, count), _class_labels(labels, count)]
            for name in ("x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"):
                checksums += f"{archive.getinfo(name).CRC:08x}"
        except Exception as error:  # zipfile and NumPy raise a dozen kinds
            raise _damaged(path, error) from error
    return ImageData(*arrays), f"{zlib.crc32(checksums.encode()):08x}"


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """An array whose CRC-32 is right, else raises."""
    with archive.open(name) as file:
        array = np.lib.format.read_array(file)
        file.read()  # zipfile checks at the end of the file, not before
    return array


def _channels_first(images: np.ndarray, count: int) -> Tensor:
    """(N, 32, 32, 3) uint8 as (N, 3, 32, 32), contiguous; raises ValueError."""
    if images.shape != (count, 32, 32, 3) or images.dtype != np.uint8:
        raise ValueError(f"images are {images.dtype} {images.shape}")
    copy = np.empty((count, 3, 32, 32), np.uint8)
    for channel in range(3):  # faster than Tensor.contiguous
        copy[:, channel] = images[..., channel]
    return torch.from_numpy(copy)


def _class_labels(labels: np.ndarray, count: int) -> Tensor:
    """(N,) or (N, 1) integers as (N,) int64; raises ValueError."""
    if labels.shape not in [(count,), (count, 1)] or labels.dtype.kind not in "iu":
        raise ValueError(f"labels are {labels.dtype} {labels.shape}")
    if labels.min() < 0 or labels.max() > 9:
        raise ValueError("a label is not in 0 to 9")
    return torch.from_numpy(labels.reshape(-1).astype(np.int64))


def _download_cifar10(folder: Path) -> None:
    from torchvision.datasets import CIFAR10

    arrays = {}
    with tempfile.TemporaryDirectory(dir=folder) as raw, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of the age of these pickles
        for split in _CIFAR10_COUNTS:
            data = CIFAR10(raw, train=split == "train", download=True)
            arrays[f"x_{split}"] = data.data
            arrays[f"y_{split}"] = np.array(data.targets, np.uint8)
    np.savez(folder / "cifar10.npz", **arrays)
    (folder / _CHECKED).write_text(f"cifar10 {_read_cifar10(folder, True)[1]}")


def _draw_cifar10(folder: Path) -> None:
    """Write pictures of coloured shapes on textured backgrounds, a shape per class."""
    generator = Generator().manual_seed(0)
    arrays: dict[str, Any] = {}
    for split, count in _CIFAR10_COUNTS.items():
        labels = torch.randperm(count, generator=generator) % 10
        images = torch.cat([_draw_scenes(y, generator) for y in labels.split(1000)])
        arrays[f"x_{split}"] = images.permute(0, 2, 3, 1).contiguous().numpy()
        arrays[f"y_{split}"] = labels.byte().numpy()
    np.savez(folder / "cifar10.npz", **arrays)


def _draw_scenes(labels: Tensor, generator: Generator) -> Tensor:
    """A picture for each label: (N, 3, 32, 32)."""
    n = len(labels)
    background, colour = _draw_colours(labels, generator)
    texture = 0.1 * torch.randn(n, 3, 8, 8, generator=generator)
    texture = F.interpolate(texture, (32, 32), mode="bilinear")
    opacity = 0.4 + 0.6 * torch.rand(n, 1, 1, 1, generator=generator)
    cover = opacity * _draw_shapes(labels, generator)
    scene = torch.lerp(background + texture, colour, cover)
    scene += 0.03 * torch.randn(n, 3, 32, 32, generator=generator)
    return (128 + 360 * scene).clamp(0, 255).byte()


def _draw_colours(labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Background (N, 3, 32, 32) and shape colours (N, 3, 1, 1) that hint at the class.

    A class has a brightness and a light from above or below, of use to a linear model,
    and two opposite hues, for background and shape or the reverse, of use to others.
    """
    n = len(labels)
    column = labels[:, None, None, None]
    side = 2 * torch.randint(2, (n, 1, 1, 1), generator=generator) - 1
    channel = 2 * math.pi / 3 * torch.arange(3)[:, None, None]
    hue = 0.05 * side * torch.cos(column * math.pi / 10 + channel)
    brightness, light = (step * column % 10 / 4.5 - 1 for step in (7, 3))
    noise = torch.randn(4, n, 3, 1, 1, generator=generator)
    line = torch.linspace(-1, 1, 32)
    background = hue + 0.075 * brightness + 0.1 * noise[0]
    background = background + 0.1 * noise[1] * line
    background = background + (0.07 * light + 0.1 * noise[2]) * line[:, None]
    return background, 0.2 * noise[3] - hue


def _draw_shapes(labels: Tensor, generator: Generator) -> Tensor:
    """Shapes of 32 x 32 pixels, 1 inside and 0 outside: (N, 1, 32, 32)."""
    n = len(labels)
    random = 2 * torch.rand(4, n, 1, 1, generator=generator) - 1
    angle, size, (right, down) = 0.4 * random[0], 0.65 + 0.12 * random[1], random[2:]
    line = torch.linspace(-1, 1, 32)
    x, y = line - 0.18 * right, line[:, None] - 0.18 * down
    u = (x * angle.cos() + y * angle.sin()) / size
    v = (y * angle.cos() - x * angle.sin()) / size
    outside = torch.empty(n, 32, 32)
    for label in range(10):
        mine = labels == label
        outside[mine] = _outside(label, u[mine], v[mine])
    return torch.sigmoid(-16 * size * outside).unsqueeze(1)


def _outside(label: int, u: Tensor, v: Tensor) -> Tensor:
    """Like a distance: positive outside the shape of the class, negative inside."""
    radius, box = torch.hypot(u, v), torch.maximum(u.abs(), v.abs())
    match label:
        case 0:  # cross
            return torch.maximum(torch.minimum(u.abs(), v.abs()) - 0.28, box - 1)
        case 1:  # square
            return box - 0.8
        case 2:  # triangle
            return torch.maximum(v - 0.6, u.abs() - v / 2 - 0.5)
        case 3:  # ring
            return (radius - 0.75).abs() - 0.22
        case 4:  # star
            return radius - 0.62 - 0.33 * torch.cos(5 * torch.atan2(v, u))
        case 5:  # disc
            return radius - 0.85
        case 6:  # chequerboard
            return torch.maximum(box - 0.95, 0.45 * (6 * u).sin() * (6 * v).sin())
        case 7:  # stripes
            return torch.maximum(box - 0.95, 0.2 * (10 * u).sin())
        case 8:  # crescent
            return torch.maximum(radius - 0.95, 0.6 - torch.hypot(u - 0.45, v))
        case _:  # frame
            return (box - 0.72).abs() - 0.2


def _check_diabetes(root: Path, real: bool) -> tuple[Path, str]:
    """The path of the table, and the head of the SHA-256 of its numbers."""
    path = root / "diabetes.csv.gz"
    digest = hashlib.sha256(_read_table(path).astype("<f4").tobytes()).hexdigest()
    if real and digest != _DIABETES_SHA256:
        raise _damaged(path, "its numbers are not the expected ones")
    return path, digest[:8]


def _read_table(path: Path) -> np.ndarray:
    """Features and label, (759, 9) float32; raises DataError."""
    try:
        text = gzip.decompress(path.read_bytes()).decode("ascii")
        return np.array([row.split(",") for row in text.splitlines()], np.float32)
    except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(path, error) from error


def _download_diabetes(folder: Path) -> None:
    with urllib.request.urlopen(_DIABETES_URL) as response:
        (folder / "diabetes.csv.gz").write_bytes(response.read())


def _draw_diabetes(folder: Path) -> None:
    """Write a table with labels from a logistic model that is not quite linear."""
    generator = Generator().manual_seed(0)
    z = torch.randn(759, 8, generator=generator)
    for column, other in ((7, 0), (4, 1), (5, 3)):  # age with pregnancies, and so on
        z[:, column] = 0.8 * z[:, column] + 0.6 * z[:, other]
    logit = 1.1 - 0.6 * z[:, 0] - 1.8 * z[:, 1] - 1.0 * z[:, 5] - 0.4 * z[:, 6]
    logit = logit - 0.4 * z[:, 1] * z[:, 5]
    labels = torch.rand(759, 1, generator=generator) < torch.sigmoid(logit)[:, None]
    mean = torch.tensor([-0.4, 0.2, 0.2, -0.3, -0.3, 0.0, -0.6, -0.5])
    std = torch.tensor([0.4, 0.3, 0.2, 0.3, 0.4, 0.2, 0.3, 0.4])
    table = torch.cat([(mean + std * z).clamp(-1, 1), labels], dim=1)
    np.savetxt(folder / "diabetes.csv.gz", table.numpy(), fmt="%.6g", delimiter=",")


def main() -> int:
    """Fetch what is missing and say what is there; 1 if anything is not real."""
    for name, take in [("mnist", mnist), ("cifar10", cifar10), ("diabetes", diabetes)]:
        tensors = take()
        size = sum(tensor.nbytes for tensor in tensors) / 1e6
        kind, _, fingerprint = used[name].partition(" ")
        change = COPIES.get(f"{name} {fingerprint}", "")
        print(f"{name:9} {kind:9} {size:6.1f} MB in memory{change and ', ' + change}")
    print(f"in {_root()}")
    return 1 if any(not kind.startswith("real") for kind in used.values()) else 0


# Not where this file was pasted into another.
if __name__ == "__main__" and Path(sys.argv[0]).name == "load.py":
    sys.exit(main())
