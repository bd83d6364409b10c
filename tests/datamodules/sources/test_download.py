"""Downloads from a server on this machine: whole, continued, cut off, refused."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infogan.datamodules.sources.download import download
from infogan.errors import DataError

CONTENTS = bytes(range(256)) * 5000


class Handler(BaseHTTPRequestHandler):
    ranges = True
    cut_after = None
    asked: list[str | None]

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        if self.server.raw:
            self.wfile.write(self.server.raw)
            return
        if self.path != "/file":
            self.send_error(404)
            return
        first = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.ranges else 0
        if first >= len(CONTENTS):
            self.send_error(416)
            return
        self.send_response(206 if first else 200)
        body = CONTENTS[first:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cut_after])

    def log_message(self, *_):
        """Not on the tests' output."""


@pytest.fixture
def server():
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.ranges, running.cut_after, running.asked, running.raw = True, None, [], None
    running.url = f"http://127.0.0.1:{running.server_port}/file"
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def test_a_whole_file(server, tmp_path):
    download(server.url, tmp_path / "new" / "file")
    assert (tmp_path / "new" / "file").read_bytes() == CONTENTS
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_was_cut_off_continues(server, tmp_path, ranges):
    server.ranges, server.cut_after = ranges, 100_000
    with pytest.raises(
        DataError, match=r"the connection ended after 100,000 of 1,280,000 bytes; the next start continues"
    ):
        download(server.url, tmp_path / "file")
    assert not (tmp_path / "file").exists()
    server.cut_after = None
    download(server.url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENTS
    assert server.asked == [None, "bytes=100000-"]


def test_a_file_that_is_not_there(server, tmp_path):
    with pytest.raises(DataError, match=r"could not be downloaded \(Not Found\)"):
        download(f"{server.url}s", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_no_server(tmp_path):
    with pytest.raises(DataError, match=r"^http://127\.0\.0\.1:9/file could not be downloaded \(.+\)$"):
        download("http://127.0.0.1:9/file", tmp_path / "file")


def test_a_place_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="could not be written"):
        download(server.url, tmp_path / "file" / "below")


def test_a_part_that_is_whole_is_no_dead_end(server, tmp_path):
    """Left where the process was killed before the file got its name; a server answers 416 to what lies behind."""
    (tmp_path / "file.part").write_bytes(CONTENTS)
    download(server.url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENTS
    assert server.asked == [f"bytes={len(CONTENTS)}-", None]


@pytest.mark.parametrize(
    "answer", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nab"]
)
def test_an_answer_that_is_not_http(server, tmp_path, answer):
    server.raw = answer
    with pytest.raises(DataError, match=r"/file could not be downloaded \([^\n]+\)$"):
        download(server.url, tmp_path / "file")
    assert not (tmp_path / "file").exists()
