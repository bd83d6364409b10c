"""A W&B server on this machine, which can misbehave: as much of the protocol as a run, `wandb sync` and views need.

`python -m tests.infogan.wandb_server` is one in a process of its own, well at first: it prints its address, takes each
line that it reads for its mode, and ends where that is `refused` or where there is no more to read.
"""

import json
import re
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "0123456789abcdef" * 2 + "89abcdef"
ENTITY = "somebody"


class Server(ThreadingHTTPServer):
    """`mode`: well, 429, 500, hang (takes the request and never answers), drop (closes the connection), until artifacts
    (well until one comes, then 500).

    `lines`: those of a run's history, `artifacts`: their types, `views`: workspaces and reports, all as sent. `pages`:
    what it shows of each run by its id: tags, notes, summary, history, files. A run that continues is given it.
    """

    daemon_threads = True

    def __init__(self, mode):
        super().__init__(("127.0.0.1", 0), Answer)
        self.mode = mode
        self.lines, self.artifacts, self.views, self.runs, self.faults = [], [], [], set(), []
        self.pages = {}
        self.closed = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, address):
        """A client may go away; what else goes wrong is a fault of this file."""
        if not isinstance(error := sys.exc_info()[1], OSError):
            self.faults.append(error)


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.server.mode == "until artifacts" and b"createArtifact(" in body:
            self.server.mode = "500"
        if self.server.mode in ("429", "500"):
            self.reply({"error": "not now"}, int(self.server.mode))
        elif self.server.mode == "hang":
            self.server.closed.wait()
            self.close_connection = True
        elif self.server.mode == "drop":
            self.close_connection = True
        elif self.path == "/graphql":
            self.reply({"data": self.data(**json.loads(body))})
        else:
            if self.path.endswith("/file_stream"):
                files = json.loads(body).get("files") or {}
                self.server.lines += files.get("wandb-history.jsonl", {}).get("content", [])
                page = self.server.pages.get(self.path.split("/")[-2], {})
                for name, part in files.items():
                    lines = page.setdefault(name, [])
                    lines[part["offset"] :] = part["content"]
            self.reply({})

    do_GET = do_PUT = do_POST

    def reply(self, answer, status=200):
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def data(self, query, variables=None, **_):
        operation = re.search(r"(?:query|mutation)\s+(\w+)", query)
        project = {"id": "UHJv", "internalId": "UHJv", "name": "infogan", "entity": {"id": "RW50", "name": ENTITY}}
        if "upsertBucket" in query:
            self.server.runs.add(variables["name"])
            page = self.server.pages.setdefault(variables["name"], {})
            page |= {key: variables[key] for key in ("tags", "notes", "config") if variables[key] is not None}
            bucket = {"id": "QnU=", "name": variables["name"], "displayName": "", "config": "{}", "historyLineCount": 0}
            return {"upsertBucket": {"bucket": {**bucket, "project": project}, "inserted": True}}
        if operation and operation[1] == "RunResumeStatus" and (page := self.server.pages.get(variables["name"])):
            return {"model": {"id": "UHJv", "name": "infogan", "entity": project["entity"], "bucket": bucket_of(page)}}
        if "createRunFiles" in query:
            self.server.pages[variables["run"]].setdefault("files", []).extend(variables["files"])
            files = [{"name": name, "uploadUrl": f"{self.server.url}/upload/{name}"} for name in variables["files"]]
            return {"createRunFiles": {"runID": "QnU=", "uploadHeaders": [], "files": files}}
        if "createArtifact(" in query:
            self.server.artifacts.append(variables["input"]["artifactTypeName"])
            artifact = {"id": "QXJ0", "state": "COMMITTED", "artifactSequence": {"id": "U2Vx", "latestArtifact": None}}
            return {"createArtifact": {"artifact": artifact}}
        if "upsertView" in query:
            self.server.views.append(variables)
            view = {"id": f"Vmlld{len(self.server.views)}", "name": variables["name"], "displayName": ""}
            project = {"id": "UHJv", "name": "infogan", "entityName": ENTITY}
            view |= {"description": "", "project": project, "spec": variables["spec"]}
            return {"upsertView": {"view": view, "inserted": True}}
        if operation and operation[1] == "Run" and variables["name"] in self.server.runs:
            run = {"id": "QnU=", "projectId": "1", "name": variables["name"], "displayName": "", "state": "finished"}
            run |= {"config": "{}", "summaryMetrics": "{}", "systemMetrics": "{}", "user": {"name": "", "username": ""}}
            return {"project": {**project, "run": {**run, "createdAt": "2026-01-01T00:00:00Z", "historyKeys": {}}}}
        if operation and operation[1] == "GetProjects":
            node = {"id": "UHJv", "name": "infogan", "entityName": ENTITY, "createdAt": "", "isBenchmark": False}
            page = {"endCursor": None, "hasNextPage": False}
            return {"models": {"pageInfo": page, "edges": [{"node": {**node, "user": None}}]}}
        if operation and operation[1] == "ProjectInternalId":
            return {"project": project}
        return {"viewer": {"id": "VXNl", "entity": ENTITY, "username": ENTITY, "flags": "{}", "teams": {"edges": []}},
                "serverInfo": {}, "model": None, "project": None, "operation": operation and operation[1]}  # fmt: skip


def bucket_of(page):
    """What a run that continues gets to know of its page."""
    history, events = (page.get(name, []) for name in ("wandb-history.jsonl", "wandb-events.jsonl"))
    lines = {"historyLineCount": len(history), "eventsLineCount": len(events), "logLineCount": 0}
    tails = {"historyTail": json.dumps(history[-1:]), "eventsTail": json.dumps(events[-1:])}
    summary = (page.get("wandb-summary.json") or ["{}"])[-1]
    words = {"tags": page.get("tags", []), "notes": page.get("notes"), "config": page.get("config", "{}")}
    started = {"id": "QnU=", "name": "", "displayName": "", "wandbConfig": '{"t": 1}'}
    return {**started, **words, "summaryMetrics": summary, **lines, **tails}


@contextmanager
def serving(mode="well"):
    """A server that runs until the end of the block."""
    server = Server(mode)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.closed.set()
        server.shutdown()
        server.server_close()
        thread.join()
    assert not server.faults


def main():
    with serving() as server:
        print(server.url, flush=True)
        for line in sys.stdin:
            if (mode := line.strip()) == "refused":
                break
            server.mode = mode


if __name__ == "__main__":
    main()
