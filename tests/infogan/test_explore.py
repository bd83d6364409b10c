"""`infogan.explore`: what the page answers, what the server refuses, and how the command ends."""

import base64
import http.client
import json
import shutil
import socket
import sys
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import infogan
from infogan import explore
from infogan.codes.latents import Latents
from infogan.codes.uniform import Uniform
from infogan.config.opening import InversionConfig, OpenedPathsConfig
from infogan.errors import ConfigError, DataError
from infogan.explorer.answers import IMAGES, UPLOAD, Explorer, some_of

QUICK = InversionConfig(restarts=2, iterations=20, learning_rate=0.1)
HOSTILE = "<script>alert('1')<script>\"&${alert(2)}{{alert(3)}}"


@pytest.fixture(scope="module")
def trained(digits_run):
    return infogan.load(digits_run)


@pytest.fixture
def explorer(trained):
    real = np.random.default_rng(0).integers(256, size=(3, 8, 8, 1), dtype=np.uint8)
    return Explorer(trained, real, "", QUICK, 0)


class Answer(HTMLParser):
    """The images of an answer, (n, 8, 8) uint8, their alternative texts, and its words."""

    def __init__(self, text):
        super().__init__()
        self.pictures, self.alts, self.words, self.tags = [], [], "", []
        self.feed(text)
        self.images = np.stack(self.pictures) if self.pictures else None

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        if tag == "img":
            kind, _, data = values["src"].partition(",")
            assert kind == "data:image/png;base64"
            self.pictures.append(np.asarray(Image.open(BytesIO(base64.b64decode(data)))))
            self.alts.append(values["alt"])

    def handle_data(self, data):
        self.words += data


def test_images_of_the_same_codes(explorer, trained):
    answer = Answer(explorer.many(5, [3, 1.5, 0]))
    latent = trained.latents.sample(
        5, "explore", 0, range(IMAGES), trained.latents.selections({"c1": 3, "c2": 1.5, "c3": 0})
    )
    assert (answer.images == trained.images(latent)[..., 0]).all()
    assert trained.latents.values(latent).tolist() == [[3, 1.5, 0]] * IMAGES
    assert len({tuple(row) for row in latent[:, 12:].tolist()}) == IMAGES, "each has its own noise"
    assert answer.alts[0] == "image 1 of 16: c1 = 3, c2 = +1.5, c3 = 0"
    assert answer.words.strip() == "c2 was drawn from -1 to 1 in training: what lies outside is extrapolated"
    assert (Answer(explorer.many(6, [3, 1.5, 0])).images != answer.images).any()


def test_a_grid(explorer, trained):
    answer = Answer(explorer.grid(2, "c1", "c3", [4, 0.5, 1]))
    latent = trained.latents.sample(
        2, "explore", 0, range(1), trained.latents.selections({"c1": 0, "c2": 0.5, "c3": 0})
    )
    images = answer.images.reshape(9, 10, 8, 8)
    for row, column, c3 in ((0, 0, -2), (0, 7, -2), (4, 0, 0), (8, 9, 2)):
        own = trained.latents.replaced(latent, "c1", torch.eye(10)[column])
        own = trained.latents.replaced(own, "c3", torch.tensor([float(c3)]))
        assert (images[row, column] == trained.images(own)[0, ..., 0]).all()
    assert answer.alts[17] == f"c1 = 7 →\N{NO-BREAK SPACE}{trained.matching[7]}, c3 = -1.5"
    assert "c1 across, c3 down; c2 = +0.5" in answer.words
    swapped = Answer(explorer.grid(2, "c3", "c1", [4, 0.5, 1]))
    assert (swapped.images.reshape(10, 9, 8, 8).swapaxes(0, 1) == images).all()
    assert Answer(explorer.grid(2, "c2", "c2", [4, 0.5, 1])).images.shape == (81, 8, 8)


def test_a_picture_is_read_found_again_and_edited(explorer, trained):
    nothing = Answer(explorer.edit(None, [0, 0, 0]))
    assert nothing.images is None and "Choose a picture" in nothing.words
    heard = []
    found = explorer.encode(explorer.chosen(1), heard.append)
    assert sum(heard) == QUICK.iterations
    read = trained.encode(explorer.real[1:2])
    assert found.codes == (int(read["c1"].argmax()), round(read["c2"].item(), 2), round(read["c3"].item(), 2))
    same = Answer(explorer.edit(found, found.codes))
    assert (same.images[0] == explorer.real[1, ..., 0]).all()
    assert (same.images[1] == trained.images(found.latent)[0, ..., 0]).all()
    assert (same.images[2] == same.images[1]).all(), "before a code is moved"
    assert same.alts[2].startswith(f"The edit: c1 = {found.codes[0]}, c2 = ")
    for words in ("Q reads c1 = ", "pixels are off by ", "a poor reconstruction"):
        assert words in same.words
    edited = Answer(explorer.edit(found, [7, -2, found.codes[2]]))
    latent = trained.latents.replaced(found.latent, "c1", torch.eye(10)[7])
    latent = trained.latents.replaced(latent, "c2", torch.tensor([-2.0]))
    assert (edited.images[2] == trained.images(latent)[0, ..., 0]).all()
    assert (edited.images[:2] == same.images[:2]).all()
    assert (edited.images[2] != same.images[2]).any()


def test_a_code_that_is_read_outside_of_its_slider(explorer, trained):
    narrow = Uniform("c2", -1e-4, 1e-4, 1.0)
    c1, _, c3 = trained.latents.codes
    latents = Latents((c1, narrow, c3), trained.latents.noise, trained.latents.noise_distribution)
    explorer = replace(explorer, trained=replace(trained, latents=latents))
    found = explorer.encode(explorer.real[0], lambda done: None)
    end = found.latent[0, 10].item()
    assert abs(end) == pytest.approx(2e-4) and np.float32(found.codes[1]) == end
    assert f"c2 is taken as {end:+g}, where its slider ends" in found.lines


def test_images_of_the_data_set_come_from_all_of_it():
    """In its order; also of a set whose classes come in turn, of which even steps would meet one alone."""
    images = torch.arange(240, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)
    found = some_of(images, 24, seed=0)
    rows = found[:, 0, 0, 0].astype(int)
    assert found.shape == (24, 2, 2, 3)
    assert (np.diff(rows) > 0).all()
    assert len(set(rows % 10)) > 5
    assert len(set(rows // 24)) > 5
    assert (some_of(images, 24, seed=1) != found).any()
    for size in (2, 24):
        assert some_of(images[:size], 24, seed=0)[:, 0, 0, 0].tolist() == list(range(size))


def test_what_is_not_there(explorer):
    for k in (3, -1, "1", None, 1.0):
        with pytest.raises(DataError, match="there is no such image"):
            explorer.chosen(k)
    for values in ([10, 0, 0], [None, 0, 0], [0, "x", 0], [0, float("nan"), 0], [0, [1], 0]):
        with pytest.raises(ConfigError, match=r"codes\.c[12]="):
            explorer.many(0, values)


def test_everything_from_outside_is_escaped(explorer, digits_run, tmp_path):
    folder = tmp_path / HOSTILE
    shutil.copytree(digits_run, folder)
    summary = json.loads((folder / "summary.json").read_text())
    summary["matching"]["0"] = HOSTILE
    (folder / "summary.json").write_text(json.dumps(summary))
    explorer = replace(explorer, trained=infogan.load(folder), real=explorer.real[:0], why=HOSTILE)
    found = explorer.encode(np.zeros((8, 8, 1), np.uint8), lambda done: None)
    found = replace(found, lines=(HOSTILE,))
    for text in (
        explorer.title(), explorer.grid(0, "c1", "c2", [0, 0, 0]), explorer.choices_of_images(),
        explorer.edit(found, found.codes),
    ):  # fmt: skip
        assert "script" not in Answer(text).tags
        assert HOSTILE in unescape(text) and HOSTILE not in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run=nowhere"], "run=nowhere is not a run folder"),
        (["port=0"], "port=0: "),
        (["port=70000"], "port=70000: "),
        (["browser=perhaps"], "browser=perhaps: "),
        (["inversion.iterations=0"], "inversion.iterations=0: "),
        (["share=true"], "share: there is no such key"),
        (["accelerator=tpu"], "accelerator=tpu: "),
    ],
)
def test_mistakes(call, digits_run, arguments, words):
    code, out, err = call(explore.main, f"run={digits_run}", "browser=false", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and err.count("\n") == 1 and words in err


def test_a_run_without_a_checkpoint(call, digits_run, tmp_path):
    shutil.copy(digits_run / "config.yaml", tmp_path)
    code, _, err = call(explore.main, f"run={tmp_path}", "browser=false")
    assert (code, err.count("\n")) == (2, 1) and "has no checkpoint yet" in err


def test_a_port_in_use(call, digits_run):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, _, err = call(explore.main, f"run={digits_run}", "browser=false", f"port={port}")
    assert (code, err) == (
        2, f"error: port={port}: it cannot be had (Address already in use); port=null takes a free one\n"
    )  # fmt: skip


def test_a_missing_extra(call, digits_run, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("infogan.explorer.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "gradio", None)
    code, _, err = call(explore.main, f"run={digits_run}", "browser=false")
    words = "error: the explorer needs an extra of this package: pip install 'infogan-lab[explorer]'\n"
    assert (code, err) == (2, words)


def test_without_the_data_set(trained, explorer, tmp_path, capsys):
    """It is said, here and on the page."""
    data = trained.config.data.model_copy(update={"name": "mnist"})
    moved = replace(trained, config=trained.config.model_copy(update={"data": data}))
    (tmp_path / "file").touch()
    paths = OpenedPathsConfig(data=f"{tmp_path}/file", stores=str(tmp_path), outputs="")
    real, why = explore.real_images(moved, SimpleNamespace(paths=paths, seed=0))
    assert len(real) == 0 and capsys.readouterr().out.endswith(f"without images of the data set: {why}\n")
    text = replace(explorer, real=real, why=why).choices_of_images()
    assert f"Images of the data set are not here: {why}" in unescape(text) and "<button" not in text
    paths = OpenedPathsConfig(data=None, stores=None, outputs="")
    real, why = explore.real_images(trained, SimpleNamespace(paths=paths, seed=0))
    assert real.shape == (24, 8, 8, 1) and why == ""


def ask(server, path, body=None, method=None, **headers):
    """Status and text of an answer. `body`: an object for JSON, or bytes."""
    connection = http.client.HTTPConnection(server.url.split("/")[2], timeout=60)
    raw = body if isinstance(body, bytes | None) else json.dumps(body)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = {} if body is None else {"Content-Type": "application/json"}
    connection.request(method or ("GET" if body is None else "POST"), path, raw, kind | names)
    answer = connection.getresponse()
    return answer.status, answer.read().decode("utf-8", "replace")


DRAW = {"data": ["many", 0, None, "c1", "c2", 3, 0.5, 0], "session_hash": "a"}


def still_answers(server):
    status, text = ask(server, "/gradio_api/run/draw", DRAW)
    return status == 200 and "image 16 of 16" in text


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd", "/gradio_api/file/etc/passwd", "/file=/etc/passwd",
        "/gradio_api/file={run}/config.yaml",
        "/assets/../../../../../../etc/passwd", "/static/%2e%2e/%2e%2e/%2e%2e/routes.py", "/assets//etc/passwd",
        "/gradio_api/proxy=http://localhost/", "/gradio_api/stream/a/b/1/playlist.m3u8", "/gradio_api/deep_link",
        "/monitoring", "/docs", "/openapi.json", "/gradio_api/openapi.json", "/svelte/a", "/gradio_api/runs",
        "/custom_component/a/b/c/d", "/gradio_api/upload_progress", "/gradio_api/dev/reload",
    ],
)  # fmt: skip
def test_no_file_is_served(served, digits_run, path):
    status, text = ask(served, path.format(run=digits_run))
    assert status in (403, 404)
    assert "root:" not in text and "batch_size" not in text and "import" not in text
    status, _ = ask(served, path.format(run=digits_run), {})
    assert status in (403, 404, 405)


def test_nothing_is_uploaded_to_the_disk(served):
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nx\r\n--b--\r\n'
    assert ask(served, "/gradio_api/upload", part, Content_Type="multipart/form-data; boundary=b")[0] == 404


FILE = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b'{"data": ' * 50_000, 400),
        ({**DRAW, "data": ["many", 0, None, "c1", "c2", FILE, 0.5, 0]}, 400),
        ({**DRAW, "data": [FILE | {"path": "http://192.0.2.1/a.png"}]}, 400),
        ({"data": 1}, 422),
        ({**DRAW, "data": []}, 500),
        ({**DRAW, "data": ["many", 0, None, "c1", "c2", 11, 0.5, 0]}, 500),
        ({**DRAW, "data": ["many", 0, None, "c1", "c2", 3, 9, 0]}, 500),
        ({**DRAW, "data": ["many", 0, None, "c1", "c2", 3, "<b>", 0]}, 500),
        ({**DRAW, "data": ["many", 0, None, "c1", "c2", 3, None, {}]}, 500),
        ({**DRAW, "data": ["many", 0, None, "c9", "c2", 3, 0.5, 0]}, 500),
    ],
)  # fmt: skip
def test_a_malformed_request_is_an_error_and_no_crash(served, body, status):
    found, text = ask(served, "/gradio_api/run/draw", body)
    assert found == status
    assert "Traceback" not in text and "root:" not in text
    assert still_answers(served)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "elsewhere.example"}, 403),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Length": str(UPLOAD * 2)}, 413),
        ({"Transfer_Encoding": "chunked"}, 413),
        ({"Host": "localhost:1"}, 200),
    ],
)
def test_requests_of_other_pages_and_too_large_ones(served, headers, status):
    body = b"" if status == 413 else json.dumps(DRAW).encode()
    assert ask(served, "/gradio_api/run/draw", body, **headers)[0] == status
    assert still_answers(served)


def test_the_browser_is_told_to_load_nothing_from_elsewhere(served):
    connection = http.client.HTTPConnection(served.url.split("/")[2])
    connection.request("GET", "/")
    answer = connection.getresponse()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; ") and "http" not in policy
    assert ask(served, "/", method="DELETE")[0] == 404


def noise_of(server, session):
    """Presses `New noise` in a session, and returns the picture."""
    return ask(server, "/gradio_api/run/new_noise", {**DRAW, "session_hash": session})[1].partition('"duration"')[0]


def test_sessions_have_their_own_state_and_only_so_many_are_kept(served):
    first, second = noise_of(served, "one"), noise_of(served, "one")
    assert first != second
    assert noise_of(served, "two") == first, "not moved by the other's"
    for k in range(110):
        noise_of(served, f"other{k}")
    assert noise_of(served, "one") == first, "forgotten"


def encoded(server, event):
    """Sends an event of the choice of pictures through the queue; returns what comes back: the last message."""
    _, config = ask(server, "/config")
    encode = next(d for d in json.loads(config)["dependencies"] if d["api_name"] == "encode")
    body = {"data": [], "fn_index": encode["id"], "event_data": event, "session_hash": "e"}
    status, _ = ask(server, "/gradio_api/queue/join", body)
    if status != 200:
        return {"status": status}
    _, stream = ask(server, "/gradio_api/queue/data?session_hash=e")
    messages = [json.loads(line[5:]) for line in stream.splitlines() if line.startswith("data:")]
    return next(m for m in messages if m["msg"] == "process_completed")


def test_a_picture_is_encoded(served, explorer):
    found = encoded(served, {"k": 2})
    assert found["success"] and len(found["output"]["data"]) == 5
    stream = BytesIO()
    Image.fromarray(explorer.real[0, ..., 0]).save(stream, "PNG")
    found = encoded(served, {"contents": base64.b64encode(stream.getvalue()).decode()})
    assert (Answer(found["output"]["data"][1]).images[0] == explorer.real[0, ..., 0]).all()


def bomb():
    """A small PNG of a hundred million pixels."""
    stream = BytesIO()
    Image.new("1", (10_000, 10_000)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"k": 24}, "there is no such image"),
        ({"k": "../../etc/passwd"}, "there is no such image"),
        ({}, "there is no such image"),
        ([], "did not send a picture"),
        (None, "did not send a picture"),
        ({"contents": 5}, "did not send a picture"),
        ({"contents": "?"}, "did not send a picture"),
        ({"contents": ""}, "the file is empty (0 bytes)"),
        ({"contents": base64.b64encode(b"<svg><script>").decode()}, "the file is not an image that Pillow can read"),
        ({"contents": base64.b64encode(bomb()).decode()}, "the file has too many pixels"),
        ({"contents": "A" * (UPLOAD * 4 // 3 + 8)}, "the file has more than 10 MB"),
    ],
)
def test_what_is_no_picture(served, event, words):
    found = encoded(served, event)
    assert not found["success"] and words in found["output"]["error"]
    assert still_answers(served)


def test_a_file_that_the_request_names_is_not_opened(served):
    assert encoded(served, {"contents": FILE}) == {"status": 400}
