"""`python -m benchmarks.explorer run=<folder>`: how long infogan.explore takes from a slider's move to its answer.

The page is served as the command serves it, by a process of its own. A move is the request that the page sends, over
one connection; the time is that of the whole round trip. Half of the moves are of 16 images, half of the grid.
"""

import http.client
import json
import re
import statistics
import subprocess
import sys
import time

MOVES, WARM_UP = 200, 10


def main() -> None:
    """Prints median, 95th percentile and maximum of each view."""
    command = [sys.executable, "-m", "infogan.explore", "port=null", "browser=false", *sys.argv[1:]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            port = next(
                found[1] for line in process.stdout if (found := re.search(r"http://127\.0\.0\.1:(\d+)/", line))
            )
            measure(int(port))
        finally:
            process.terminate()


def measure(port: int) -> None:
    """Moves the first slider, to and fro, and measures how long the answers took."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    components = {c["id"]: c for c in ask(connection, "GET", "/config")["components"]}
    draw = next(d for d in ask(connection, "GET", "/config")["dependencies"] if d["api_name"] == "draw")
    values = [components[k]["props"].get("value") for k in draw["inputs"]]
    slider = next(k for k, c in enumerate(draw["inputs"]) if components[c]["type"] == "slider")
    low, high = (components[draw["inputs"][slider]]["props"][key] for key in ("minimum", "maximum"))
    session = {"session_hash": "benchmark", "fn_index": draw["id"]}
    for view in ("many", "grid"):
        opened = {"data": values[1:], "session_hash": "benchmark"}
        ask(connection, "POST", f"/gradio_api/run/open_{view}", opened)
        seconds = []
        for k in range(WARM_UP + MOVES // 2):
            values[slider] = low + (high - low) * (k % 80) / 80
            start = time.perf_counter()
            ask(connection, "POST", "/gradio_api/run/draw", {"data": values, **session})
            seconds.append(time.perf_counter() - start)
        ordered = sorted(1000 * s for s in seconds[WARM_UP:])
        median, most = statistics.median(ordered), ordered[int(0.95 * len(ordered))]
        print(f"{view}: median {median:.1f} ms, 95 % within {most:.1f} ms, all within {ordered[-1]:.1f} ms")


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: object = None) -> dict:
    """The JSON that comes back; anything but success ends the measurement."""
    connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {text.decode()[:300]}")
    return json.loads(text)


if __name__ == "__main__":
    main()
