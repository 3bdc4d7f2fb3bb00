"""docs/reading.yml is well formed, and its checker knows what is there."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
import yaml

from page_runner.script import find_pages
from tools import check_reading

ROOT = Path(__file__).parents[1]
READING = yaml.safe_load((ROOT / "docs" / "reading.yml").read_text(encoding="utf-8"))

# What they write is kept up to date and has no year.
LIVING = {
    "NumPy",
    "ONNX Runtime",
    "pandas",
    "Python",
    "PyTorch",
    "scikit-learn",
    "torchvision",
}


def test_every_page_leads_on() -> None:
    assert list(READING) == [page.stem for page in find_pages(ROOT / "snippets")]


@pytest.mark.parametrize("page", READING)
def test_places_are_described(page: str) -> None:
    places = READING[page]
    assert 2 <= len(places) <= 4
    assert len({place["address"] for place in places}) == len(places)
    for place in places:
        assert set(place) - {"year"} == {"name", "author", "address", "gives"}
        assert ("year" in place) or place["author"] in LIVING
        assert urlsplit(place["address"]).scheme in ("http", "https")
        assert not place["gives"].endswith("."), "half a sentence"


def test_a_work_is_described_alike_on_every_page() -> None:
    known: dict[str, tuple[object, ...]] = {}
    for places in READING.values():
        for place in places:
            work = (place["name"], place["author"], place.get("year"))
            assert known.setdefault(place["address"], work) == work


class Host(BaseHTTPRequestHandler):
    """A host that knows /page and /get-only, keeps /people from programs."""

    def do_HEAD(self) -> None:
        codes = {"/page": 200, "/people": 403, "/get-only": 405}
        self.answer(codes.get(self.path, 404))

    def do_GET(self) -> None:
        codes = {"/page": 200, "/people": 403, "/get-only": 200}
        self.answer(codes.get(self.path, 404))

    def answer(self, code: int) -> None:
        self.send_response(code)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on stderr."""


@pytest.fixture
def host() -> Iterator[str]:
    """The address of a host on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_checker_tells_what_is_there(host: str) -> None:
    assert check_reading.status(f"{host}/page") == "there"
    assert check_reading.status(f"{host}/get-only") == "there"
    assert check_reading.status(f"{host}/people") == "refused"
    assert check_reading.status(f"{host}/gone") == "status 404"
    nobody = check_reading.status("http://127.0.0.1:9/")
    assert nobody not in ("there", "refused")


def test_checker_fails_where_an_address_leads_nowhere(
    host: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reading = tmp_path / "reading.yml"
    monkeypatch.setattr(check_reading, "READING", reading)

    reading.write_text(f"11_a: [{{address: {host}/page}}, {{address: {host}/people}}]")
    assert check_reading.main() == 0
    assert f"{host}/people: refused (11_a)" in capsys.readouterr().out

    reading.write_text(f"11_a: &x [{{address: {host}/gone}}]\n12_b: *x")
    assert check_reading.main() == 1
    assert f"{host}/gone: status 404 (11_a, 12_b)" in capsys.readouterr().out


def test_a_host_that_speaks_no_http_is_not_there() -> None:
    """And takes the answers of no other host along."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for _ in ("HEAD", "GET"):
                caller, _ = server.accept()
                with caller:
                    caller.recv(1000)
                    caller.sendall(b"220 no web server\r\n")

        answering = Thread(target=answer)
        answering.start()
        said = check_reading.status(f"http://127.0.0.1:{server.getsockname()[1]}/")
        answering.join()
    assert "220 no web server" in said
