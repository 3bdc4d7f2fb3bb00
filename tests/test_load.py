"""`load.py`: the real data where it is whole, a clear error where it is damaged, and a
stand-in where it cannot be had.

Most tests use small sets; where SNIPPETS_DATA holds the real ones, those are read too.
"""

import contextlib
import errno
import functools
import hashlib
import http.server
import io
import os
import pickle
import random
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision.datasets

import load

DATA = Path(os.environ.get("SNIPPETS_DATA") or "data").absolute()
COUNTS = {
    "_MNIST_COUNTS": {"train": 600, "t10k": 100},
    "_CIFAR10_COUNTS": {"train": 500, "test": 100},
}
FULL_COUNTS = {name: getattr(load, name) for name in COUNTS}
FILES = {
    "mnist": [f"MNIST/raw/{name}" for name in load._MNIST_MD5],
    "cifar10": ["cifar10.npz"],
    "diabetes": ["diabetes.csv.gz"],
}
EVERY_FILE = [(name, file) for name, files in FILES.items() for file in files]
every_set = pytest.mark.parametrize("name", list(FILES))
every_file = pytest.mark.parametrize(
    ("name", "file"), EVERY_FILE, ids=[file for _, file in EVERY_FILE]
)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root, still empty; no network, small sets, nothing used yet."""
    folder = tmp_path / "data"
    monkeypatch.setenv("SNIPPETS_DATA", str(folder))
    monkeypatch.setenv("SNIPPETS_OFFLINE", "1")
    monkeypatch.setattr(load, "used", {})
    for name, counts in COUNTS.items():
        monkeypatch.setattr(load, name, counts)
    return folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small drawn files, laid out like real ones."""
    folder = tmp_path_factory.mktemp("drawn")
    with pytest.MonkeyPatch.context() as patch:
        for name, counts in COUNTS.items():
            patch.setattr(load, name, counts)
        for name in FILES:
            getattr(load, f"_draw_{name}")(folder)
    (folder / "MNIST" / "raw" / "md5.json").unlink()
    return folder


@pytest.fixture
def real(root: Path, drawn: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data root with small files that load.py takes for the real ones."""
    shutil.copytree(drawn, root)
    take_for_real(drawn, monkeypatch)
    return root


@pytest.fixture
def network(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A network that has such files; the names of the sets fetched from it."""
    take_for_real(drawn, monkeypatch)
    monkeypatch.delenv("SNIPPETS_OFFLINE")
    fetched = []
    for name in FILES:

        def download(folder: Path, name: str = name) -> None:
            fetched.append(name)
            for file in FILES[name]:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(drawn / file, folder / file)

        monkeypatch.setattr(load, f"_download_{name}", download)
    return fetched


def take_for_real(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let load.py expect the digests of the files in this folder."""
    digests = {Path(file).name: load._md5(folder / file) for file in FILES["mnist"]}
    monkeypatch.setattr(load, "_MNIST_MD5", digests)
    table = load._read_table(folder / "diabetes.csv.gz")
    digest = hashlib.sha256(table.tobytes()).hexdigest()
    monkeypatch.setattr(load, "_DIABETES_SHA256", digest)
    _, cifar10 = load._read_cifar10(folder, True)
    mnist = digests["train-images-idx3-ubyte"]
    copies = {"mnist": mnist[:8], "cifar10": cifar10, "diabetes": digest[:8]}
    known = {f"{name} {fingerprint}": "real" for name, fingerprint in copies.items()}
    monkeypatch.setattr(load, "COPIES", known)


def names(folder: Path) -> set[str]:
    """What lies in a folder, apart from lock files."""
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"}


def fetch(name: str) -> Any:
    """What `mnist()`, `cifar10()` or `diabetes()` returns."""
    return getattr(load, name)()


def equal(a: tuple[torch.Tensor, ...], b: tuple[torch.Tensor, ...]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip(path: Path, place: int | None = None) -> None:
    """Flip a bit of one byte, the middle one if none is named."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if place is None else place] ^= 4
    path.write_bytes(content)


def rewrite(path: Path, **changes: np.ndarray | None) -> None:
    """Change arrays of an npz file; None takes one out."""
    with np.load(path) as file:
        arrays = dict(file) | changes
    np.savez(path, **{k: array for k, array in arrays.items() if array is not None})


def forbid(name: str, monkeypatch: pytest.MonkeyPatch, *steps: str) -> None:
    """Make it an error that a set is drawn or downloaded."""

    def fail(folder: Path) -> None:
        raise AssertionError(f"{name} was made again")

    for step in steps or ("draw", "download"):
        monkeypatch.setattr(load, f"_{step}_{name}", fail)


# The real data


@pytest.fixture(params=list(FILES))
def true_set(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, bool]:
    """The name of a set that lies in the root, and whether it is the true one."""
    name = request.param
    if all((DATA / file).exists() for file in FILES[name]):
        monkeypatch.undo()
        monkeypatch.setenv("SNIPPETS_DATA", str(DATA))
        monkeypatch.setenv("SNIPPETS_OFFLINE", "1")
        monkeypatch.setattr(load, "used", {})
        return name, True
    request.getfixturevalue("real")
    return name, False


def test_real_data(
    true_set: tuple[str, bool], capsys: pytest.CaptureFixture[str]
) -> None:
    name, is_true = true_set
    data = fetch(name)
    if name == "diabetes":
        check_diabetes(data)
    else:
        check_images(name, data)
    if is_true and name == "mnist":
        assert data.train_labels[:3].tolist() == [5, 0, 4]
        assert data.train_labels.bincount()[:3].tolist() == [5923, 6742, 5958]
        assert abs(data.train_images.double().mean() / 255 - 0.1307) < 1e-4
    if is_true and name == "cifar10":
        assert data.test_labels[:4].tolist() == [3, 8, 8, 0]
        assert data.train_labels.bincount().tolist() == [5000] * 10
    if is_true and name == "diabetes":
        assert data.labels.bincount().tolist() == [263, 496]
    assert load.used[name].startswith("real ")
    assert capsys.readouterr() == ("", "")


def check_images(name: str, data: load.ImageData) -> None:
    """Shapes and types of MNIST or CIFAR-10; contiguous; ten classes."""
    size = {"mnist": (28, 28), "cifar10": (3, 32, 32)}[name]
    counts = {"mnist": load._MNIST_COUNTS, "cifar10": load._CIFAR10_COUNTS}[name]
    train, test = counts.values()
    assert data.train_images.shape == (train, *size)
    assert data.test_images.shape == (test, *size)
    assert data.train_images.dtype == data.test_images.dtype == torch.uint8
    assert data.train_labels.dtype == data.test_labels.dtype == torch.int64
    assert data.train_labels.shape == (train,)
    assert data.test_labels.shape == (test,)
    assert all(tensor.is_contiguous() for tensor in data)
    assert len(data.train_labels.unique()) == len(load.CIFAR10_CLASSES) == 10


def check_diabetes(data: load.TableData) -> None:
    """Shapes and types of the table; features in [-1, 1], labels 0 and 1."""
    assert data.features.shape == (759, 8)
    assert data.features.dtype == torch.float32
    assert data.features.is_contiguous()
    assert data.features.abs().max() <= 1
    assert data.labels.shape == (759,)
    assert data.labels.dtype == torch.int64
    assert data.labels.unique().tolist() == [0, 1]


def test_second_load_is_fast(true_set: tuple[str, bool]) -> None:
    name, _ = true_set
    fetch(name)
    started = time.process_time()
    fetch(name)
    assert time.process_time() - started < 1


def test_stand_ins_have_the_sizes_of_the_real_sets() -> None:
    assert FULL_COUNTS["_MNIST_COUNTS"] == {"train": 60_000, "t10k": 10_000}
    assert FULL_COUNTS["_CIFAR10_COUNTS"] == {"train": 50_000, "test": 10_000}


def test_paths(real: Path) -> None:
    assert load.mnist_root() == real
    assert load.diabetes_file() == real / "diabetes.csv.gz"


def test_data_folder_of_the_current_folder_is_the_default(
    real: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SNIPPETS_DATA")
    monkeypatch.chdir(real.parent)
    assert load.mnist_root() == real


def test_mnist_is_what_torchvision_reads(real: Path) -> None:
    train = torchvision.datasets.MNIST(load.mnist_root())
    test = torchvision.datasets.MNIST(load.mnist_root(), train=False)
    theirs = train.data, train.targets, test.data, test.targets
    assert equal(load.mnist(), theirs)


def test_cifar10_keeps_pixels_in_their_places(real: Path) -> None:
    with np.load(real / "cifar10.npz") as file:
        image = file["x_test"][7]
    assert load.cifar10().test_images[7, :, 20, 5].tolist() == image[20, 5].tolist()


def test_labels_may_stand_in_a_column(real: Path) -> None:
    before = load.cifar10()
    with np.load(real / "cifar10.npz") as file:
        column = file["y_train"].reshape(-1, 1)
    rewrite(real / "cifar10.npz", y_train=column)
    assert equal(load.cifar10(), before)


def test_diabetes_may_be_compressed_anew(real: Path) -> None:
    before = load.diabetes()
    path = real / "diabetes.csv.gz"
    text = load.gzip.decompress(path.read_bytes())
    path.write_bytes(load.gzip.compress(text.replace(b"\n", b"\r\n"), mtime=1))
    assert equal(load.diabetes(), before)


# Damaged files


@every_file
@pytest.mark.parametrize("damage", [truncate, flip, lambda path: path.write_bytes(b"")])
def test_damaged_file_is_named(
    name: str, file: str, damage: Callable[[Path], None], real: Path
) -> None:
    damage(real / file)
    with pytest.raises(load.DataError) as caught:
        fetch(name)
    assert f"{real / file} is damaged" in str(caught.value)
    assert "delete it and run again" in str(caught.value)
    assert name not in load.used


@every_file
def test_the_advice_for_a_damaged_file_works(
    name: str, file: str, root: Path, network: list[str]
) -> None:
    before = fetch(name)
    truncate(root / file)
    (root / file).unlink()
    assert equal(fetch(name), before)
    assert network == [name, name]


def test_no_flipped_bit_goes_unnoticed(real: Path) -> None:
    """A bit anywhere in the headers, and here and there in the data."""
    generator = random.Random(0)
    for name in ("cifar10", "diabetes"):
        path = real / FILES[name][0]
        content = path.read_bytes()
        before = fetch(name)
        size = len(content)
        places = [*range(160), *range(size - 600, size, 5)]
        places += [generator.randrange(size) for _ in range(30)]
        for place in places:
            flip(path, place)
            with contextlib.suppress(load.DataError):
                assert equal(fetch(name), before), f"{path.name}, byte {place}"
            path.write_bytes(content)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"x_test": None}, "x_test"),
        ({"y_train": None}, "y_train"),
        ({"x_train": np.zeros((499, 32, 32, 3), np.uint8)}, "(499, 32, 32, 3)"),
        ({"x_train": np.zeros((500, 3, 32, 32), np.uint8)}, "(500, 3, 32, 32)"),
        ({"x_train": np.zeros((500, 32, 32, 3), np.float32)}, "float32"),
        ({"y_test": np.zeros(99, np.uint8)}, "(99,)"),
        ({"y_test": np.zeros(100, np.float32)}, "float32"),
        ({"y_test": np.full(100, 10)}, "not in 0 to 9"),
        ({"y_test": np.full(100, -1)}, "not in 0 to 9"),
        ({"y_test": np.array([None] * 100)}, "allow_pickle=False"),
    ],
)
def test_arrays_that_are_not_cifar10(
    changes: dict[str, np.ndarray | None], problem: str, real: Path
) -> None:
    rewrite(real / "cifar10.npz", **changes)
    with pytest.raises(load.DataError) as caught:
        load.cifar10()
    assert problem in str(caught.value)


@pytest.mark.parametrize("text", ["", "1,2\n3\n", "1,2\n3,4\n", "a,b\n", "é\n"])
def test_table_that_is_not_diabetes(text: str, real: Path) -> None:
    path = real / "diabetes.csv.gz"
    path.write_bytes(load.gzip.compress(text.encode()))
    with pytest.raises(load.DataError):
        load.diabetes()


def test_another_table_of_the_same_shape_is_not_diabetes(
    real: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = real / "diabetes.csv.gz"
    table = load._read_table(path)
    table[100, 3] += 0.001
    np.savetxt(path, table, delimiter=",")
    with pytest.raises(load.DataError, match="not the expected"):
        load.diabetes_file()


# Downloads


@every_set
def test_missing_data_is_downloaded_once(
    name: str, root: Path, network: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert equal(fetch(name), fetch(name))
    assert network == [name]
    assert names(root) == {FILES[name][0].split("/")[0]}
    assert load.used[name].startswith("real ")
    assert capsys.readouterr().err == ""


def test_one_missing_file_of_mnist_is_downloaded(
    root: Path, network: list[str]
) -> None:
    before = load.mnist()
    (root / FILES["mnist"][2]).unlink()
    assert equal(load.mnist(), before)
    assert network == ["mnist", "mnist"]


@every_set
@pytest.mark.parametrize("error", [OSError("cut off"), KeyboardInterrupt()])
def test_interrupted_download_leaves_nothing_behind(
    name: str,
    error: BaseException,
    root: Path,
    network: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = getattr(load, f"_download_{name}")

    def half(folder: Path) -> None:
        whole(folder)
        truncate(folder / FILES[name][-1])
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(load, f"_download_{name}", half)
        if isinstance(error, KeyboardInterrupt):
            with pytest.raises(KeyboardInterrupt):
                fetch(name)
            assert names(root) == set()
        else:
            fetch(name)
            assert load.used[name].startswith("stand-in ")
            assert names(root) == {"stand-in"}
            assert "(cut off)" in capsys.readouterr().err
    load.used.clear()
    fetch(name)
    assert load.used[name].startswith("real ")


def test_what_a_killed_process_left_is_cleared_away(
    root: Path, network: list[str]
) -> None:
    part = root / ".diabetes.part"
    part.mkdir(parents=True)
    (part / "cifar10.npz").write_text("half of")
    load.diabetes()
    assert names(root) == {"diabetes.csv.gz"}


@every_set
def test_damaged_download_is_not_kept(
    name: str,
    root: Path,
    network: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def sign_in_page(folder: Path) -> None:
        for file in FILES[name]:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text("<html>Please sign in</html>")

    monkeypatch.setattr(load, f"_download_{name}", sign_in_page)
    fetch(name)
    assert load.used[name].startswith("stand-in ")
    assert names(root) == {"stand-in"}
    assert "what came was damaged" in capsys.readouterr().err


def test_network_is_given_a_bounded_time(
    network: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    timeouts = []
    monkeypatch.setattr(
        load,
        "_download_diabetes",
        lambda folder: timeouts.append(socket.getdefaulttimeout()),
    )
    load.diabetes()
    assert timeouts == [load._NETWORK_TIMEOUT]
    assert socket.getdefaulttimeout() is None


@every_set
def test_no_network(
    name: str,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the true download functions, and a network that knows no host."""

    def unknown_host(*args: object, **options: object) -> None:
        raise urllib.error.URLError("no such host")

    monkeypatch.delenv("SNIPPETS_OFFLINE")
    monkeypatch.setattr(urllib.request, "urlopen", unknown_host)
    fetch(name)
    assert load.used[name].startswith("stand-in ")
    assert "no such host" in capsys.readouterr().err
    assert names(root) == {"stand-in"}


def test_quiet_says_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither of a download, with its progress, nor of a stand-in."""

    def failing(folder: Path) -> None:
        print("50 %", file=sys.stderr)
        raise OSError("no such host")

    monkeypatch.delenv("SNIPPETS_OFFLINE")
    monkeypatch.setattr(load, "_download_diabetes", failing)
    monkeypatch.setenv("SNIPPETS_QUIET", "1")
    load.diabetes()
    assert load.used["diabetes"].startswith("stand-in ")
    assert capsys.readouterr().err == ""


def test_offline_tries_no_download(
    network: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNIPPETS_OFFLINE", "1")
    load.diabetes()
    assert network == []


def test_download_of_diabetes(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load.diabetes()
    moved = tmp_path / "host.csv.gz"
    (real / "diabetes.csv.gz").rename(moved)
    monkeypatch.delenv("SNIPPETS_OFFLINE")
    monkeypatch.setattr(load, "_DIABETES_URL", moved.as_uri())
    assert equal(load.diabetes(), before)
    assert load.used["diabetes"].startswith("real ")


def test_download_of_mnist(
    root: Path, network: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the four files are kept of what torchvision lays down."""
    copy = load._download_mnist
    monkeypatch.undo()

    def lay_down(folder: Path, download: bool) -> None:
        copy(folder)
        for file in FILES["mnist"]:
            (folder / f"{file}.gz").write_text("archive")

    monkeypatch.setattr(torchvision.datasets, "MNIST", lay_down)
    root.mkdir()
    load._download_mnist(root)
    assert names(root / "MNIST" / "raw") == set(load._MNIST_MD5)


def test_download_of_cifar10(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision's lists become arrays; what it warns of and lays down is gone."""

    class CIFAR10:
        def __init__(self, folder: str, train: bool, download: bool) -> None:
            warnings.warn("old pickle", np.exceptions.VisibleDeprecationWarning, 1)
            (Path(folder) / "cifar-10-python.tar.gz").write_text("archive")
            count = 500 if train else 100
            self.data = np.full((count, 32, 32, 3), 200 if train else 100, np.uint8)
            self.targets = [9 if train else 8] * count

    monkeypatch.setattr(torchvision.datasets, "CIFAR10", CIFAR10)
    monkeypatch.delenv("SNIPPETS_OFFLINE")
    data = load.cifar10()
    assert data.train_images.unique().item() == 200
    assert data.test_images.unique().item() == 100
    assert data.train_labels.unique().item() == 9
    assert data.test_labels.unique().item() == 8
    assert names(root) == {"cifar10.npz", "cifar10.checked"}
    assert load.used["cifar10"].startswith("real ")  # whatever it holds: it was checked
    load.cifar10()
    assert load.used["cifar10"].startswith("real ")
    rewrite(root / "cifar10.npz", y_test=np.full(100, 7))
    load.cifar10()
    assert load.used["cifar10"].startswith("unknown ")


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing of it."""

    def log_message(self, *_: object) -> None:
        pass


class Mischief:
    """What leaves a file behind when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.marker,)


def test_nothing_is_unpickled_whose_checksum_is_another(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An archive in the place of that of CIFAR-10, which also leaves its folder."""
    archive, marker = tmp_path / "cifar-10-python.tar.gz", tmp_path / "unpickled"
    content = pickle.dumps(Mischief(marker))
    with tarfile.open(archive, "w:gz") as file:
        for name in ("cifar-10-batches-py/data_batch_1", "../../../outside"):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    pickle.loads(content)
    marker.unlink()  # it would have worked
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/{archive.name}"
        monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", url)
        monkeypatch.delenv("SNIPPETS_OFFLINE")
        load.cifar10()
        server.shutdown()
    assert load.used["cifar10"].startswith("stand-in ")
    assert "corrupted" in capsys.readouterr().err
    assert not marker.exists()
    assert not list(tmp_path.rglob("outside"))
    assert names(root) == {"stand-in"}


# The stand-in


@every_set
def test_stand_in_lies_apart_and_is_drawn_once(
    name: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fetch(name)
    assert names(root) == {"stand-in"}
    assert all((root / "stand-in" / file).exists() for file in FILES[name])
    forbid(name, monkeypatch)
    assert equal(fetch(name), first)


@every_set
def test_stand_in_is_told_once(
    name: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(name)
    fetch(name)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count(name) == err.count("stand-in") == 1
    for word in (str(root), "number will differ", "a network", "SNIPPETS_OFFLINE=1"):
        assert word in err


def test_a_root_that_cannot_be_written_is_named(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(load.DataError, match=f"{re.escape(str(root))} cannot be wr"):
        load.diabetes()


@every_set
def test_stand_in_has_the_form_of_the_real_data(name: str) -> None:
    data = fetch(name)
    check_diabetes(data) if name == "diabetes" else check_images(name, data)


@every_set
def test_stand_in_is_the_same_everywhere_and_leaves_generators_alone(
    name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    np.random.seed(1)
    first = fetch(name)
    torch_drew, numpy_drew = torch.rand(3), np.random.rand(3)

    torch.manual_seed(1)
    np.random.seed(1)
    assert torch.equal(torch.rand(3), torch_drew)
    assert (np.random.rand(3) == numpy_drew).all()

    shutil.rmtree(root)
    assert equal(fetch(name), first)


@every_set
def test_real_data_is_preferred_to_the_stand_in(
    name: str, root: Path, network: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("SNIPPETS_OFFLINE", "1")
        fetch(name)
    assert load.used[name].startswith("stand-in ")
    load.used.clear()  # as in a new process
    fetch(name)
    assert load.used[name].startswith("real ")


@every_file
@pytest.mark.parametrize("damage", [truncate, flip, Path.unlink])
def test_damaged_stand_in_is_redrawn(
    name: str, file: str, damage: Callable[[Path], None], root: Path
) -> None:
    first = fetch(name)
    damage(root / "stand-in" / file)
    assert equal(fetch(name), first)
    assert names(root) == {"stand-in"}


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"train-images-idx3-ubyte": 1}'])
def test_stand_in_of_mnist_with_damaged_digests_is_redrawn(
    text: str, root: Path
) -> None:
    first = load.mnist()
    digests = root / "stand-in" / "MNIST" / "raw" / "md5.json"
    digests.write_text(text)
    assert equal(load.mnist(), first)
    assert digests.read_text() != text


@every_set
def test_interrupted_drawing_leaves_nothing_behind(
    name: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = getattr(load, f"_draw_{name}")

    def half(folder: Path) -> None:
        draw(folder)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(load, f"_draw_{name}", half)
        with pytest.raises(KeyboardInterrupt):
            fetch(name)
    assert names(root) == set()


def test_torchvision_opens_the_stand_in() -> None:
    theirs = torchvision.datasets.MNIST(load.mnist_root(), train=False)
    ours = load.mnist()
    assert torch.equal(theirs.data, ours.test_images)
    assert torch.equal(theirs.targets, ours.test_labels)


def test_drawn_digits_look_like_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mean and spread of the pixels, dark corners, and a linear model can read them."""
    monkeypatch.setattr(load, "_MNIST_COUNTS", {"train": 6000, "t10k": 1000})
    data = load.mnist()
    pixels = data.train_images / 255
    assert abs(pixels.mean() - 0.1307) < 0.02
    assert abs(pixels.std() - 0.3081) < 0.02
    assert pixels[:, :2, :2].max() == 0
    train, test = pixels.flatten(1), data.test_images.flatten(1) / 255
    accuracy = softmax_regression(train, data.train_labels, test, data.test_labels)
    assert 0.8 < accuracy < 0.95  # 0.94 with all 60,000


def test_drawn_scenes_hint_at_their_class_but_not_to_a_linear_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load, "_CIFAR10_COUNTS", {"train": 4000, "test": 1000})
    data = load.cifar10()
    small = (torch.nn.functional.avg_pool2d(x / 255.0, 8) for x in (data[0], data[2]))
    train, test = (x.flatten(1) - 0.5 for x in small)
    accuracy = softmax_regression(train, data.train_labels, test, data.test_labels)
    assert 0.2 < accuracy < 0.42
    assert abs(data.train_images.double().mean() / 255 - 0.5) < 0.05


def test_drawn_table_is_as_hard_as_diabetes() -> None:
    """The mean of five splits, each with a fifth of the rows held out."""
    features, labels = load.diabetes()
    assert 0.62 < labels.double().mean() < 0.68
    accuracies = []
    for k in range(5):
        held_out = torch.arange(len(labels)) % 5 == k
        train, test = features[~held_out], features[held_out]
        accuracies.append(
            softmax_regression(train, labels[~held_out], test, labels[held_out])
        )
    assert 0.74 < sum(accuracies) / 5 < 0.82


def softmax_regression(
    train: torch.Tensor,
    train_labels: torch.Tensor,
    test: torch.Tensor,
    test_labels: torch.Tensor,
) -> float:
    """Accuracy on the test rows of a linear model, trained with L-BFGS."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = torch.nn.Linear(train.shape[1], 10)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=40)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(train), train_labels)
        loss.backward()
        return loss

    optimizer.step(closure)
    return (model(test).argmax(dim=1) == test_labels).double().mean().item()


# What was used


class OtherGenerator:
    """Draws other numbers from the same seed."""

    def manual_seed(self, seed: int) -> torch.Generator:
        return torch.Generator().manual_seed(seed + 1)


@every_set
def test_fingerprint_tells_contents_apart(
    name: str, real: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(name)
    kind, fingerprint = load.used[name].split()
    assert kind == "real"
    assert len(fingerprint) == 8
    assert int(fingerprint, 16) >= 0
    for folder in (real / "MNIST", real / "cifar10.npz", real / "diabetes.csv.gz"):
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    fetch(name)
    assert load.used[name] == f"stand-in {fingerprint}"  # the same drawing
    shutil.rmtree(real)
    monkeypatch.setattr(load, "Generator", OtherGenerator)
    fetch(name)
    assert load.used[name].split()[1] != fingerprint


@every_set
def test_list_of_known_copies_is_of_the_real_sets(name: str) -> None:
    (copy,) = [copy for copy in load.COPIES if copy.startswith(f"{name} ")]
    digests = {
        "mnist": load._MNIST_MD5["train-images-idx3-ubyte"],
        "diabetes": load._DIABETES_SHA256,
    }
    if name in digests:  # the whole content is checked before
        assert digests[name].startswith(copy.split()[1])


def test_shuffled_labels_are_unknown_data(
    real: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are whole and of the right form, and no copy of CIFAR-10."""
    monkeypatch.delenv("SNIPPETS_QUIET", raising=False)
    with np.load(real / "cifar10.npz") as file:
        labels = file["y_train"]
    rewrite(real / "cifar10.npz", y_train=labels[::-1])
    load.cifar10()
    load.cifar10()
    assert load.used["cifar10"].startswith("unknown ")
    assert capsys.readouterr().err.count("is no copy that load.py knows") == 1


def test_used_follows_every_entrance(real: Path) -> None:
    load.mnist_root()
    load.diabetes_file()
    assert set(load.used) == {"mnist", "diabetes"}
    load.cifar10()
    assert set(load.used) == set(FILES)


# Processes, and the file as it is copied into pages

WORKER = """
import os, sys, time
from pathlib import Path
import load

folder, me = Path(sys.argv[1]), sys.argv[2]
print([m for m in ("torchvision", "matplotlib", "PIL") if m in sys.modules])
load._MNIST_COUNTS = {"train": 600, "t10k": 100}


def logged(write, word):
    def write_slowly(part):
        with open(folder / "log", "a") as log:
            print(word, file=log)
        time.sleep(0.5)
        write(part)
    return write_slowly


def download(part):
    (part / "diabetes.csv.gz").write_bytes((folder / "diabetes.csv.gz").read_bytes())


load._draw_mnist = logged(load._draw_mnist, "drawn")
load._download_diabetes = logged(download, "downloaded")
(folder / f"ready-{me}").touch()
started = time.monotonic()
while len(list(folder.glob("ready-*"))) < 2 and time.monotonic() < started + 60:
    time.sleep(0.01)
os.environ["SNIPPETS_OFFLINE"] = "1"
load.mnist()
os.environ["SNIPPETS_OFFLINE"] = "0"
load._DIABETES_SHA256 = sys.argv[3]
load.diabetes()
print(load.used)
"""


def test_two_processes_draw_and_download_once(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load._draw_diabetes(tmp_path)
    table = load._read_table(tmp_path / "diabetes.csv.gz")
    digest = hashlib.sha256(table.tobytes()).hexdigest()
    path = str(Path(load.__file__).parent)
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path), me, digest],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for me in "ab"
    ]
    try:
        outputs = [worker.communicate(timeout=300) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    assert (tmp_path / "log").read_text().split() == ["drawn", "downloaded"]
    first, second = (out.splitlines() for out, _ in outputs)
    assert first == second
    assert first[0] == "[]"  # nothing heavy is imported with load.py
    assert "'mnist': 'stand-in " in first[1]
    assert "'diabetes': 'unknown " in first[1]  # no copy that load.py knows


def test_the_file_works_pasted_into_a_page(root: Path) -> None:
    page: dict[str, Any] = {"__name__": "__main__"}
    source = Path(load.__file__).read_text(encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", io.StringIO())
        exec(compile(source, "page", "exec"), page)
        check_diabetes(page["diabetes"]())
    assert page["used"]["diabetes"].startswith("stand-in ")
    assert load.used == {}


# The command


def test_command_fetches_all_and_says_what_is_there(
    root: Path, network: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert load.main() == 0
    assert network == list(FILES)
    *lines, place = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[name, "real"] for name in FILES]
    assert all(line.endswith("in memory, real") for line in lines)  # of these copies
    assert place == f"in {root}"
    assert load.main() == 0
    assert network == list(FILES)  # nothing is fetched again


@pytest.mark.usefixtures("root")
def test_command_fails_where_a_stand_in_takes_the_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert load.main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[:-1]] == ["stand-in"] * len(FILES)
