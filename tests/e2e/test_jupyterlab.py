"""Chapters pass "Restart and run all" in JupyterLab's own server, with the report's numbers."""

import json
import os
import re
import subprocess
import sys
import time
import uuid
from contextlib import closing, suppress
from pathlib import Path

import nbformat
import pytest
import requests
import websocket

from csa.report.environment import ONE_THREAD

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
OURS = re.compile(r"application/vnd\.csa\..*")
WAIT = 120  # seconds, on a busy machine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(edition, tmp_path_factory):
    """JupyterLab with notebooks/ as its root, as `make lab` starts it."""
    token = uuid.uuid4().hex
    log = tmp_path_factory.mktemp("lab") / "log.txt"
    with log.open("w") as file:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--port=0"),
                *(f"--notebook-dir={NOTEBOOKS}", f"--IdentityProvider.token={token}"),
                "--ServerApp.allow_root=True",
            ],
            env={
                **os.environ,
                **ONE_THREAD,
                "CSA_WORKSPACE": str(edition.workspace),
            },  # as make lab
            stderr=file,
        )
    try:
        yield wait_for(process, log, token)
    finally:
        process.terminate()
        process.wait(30)


def wait_for(process, log, token):
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"http://(?:localhost|127\.0\.0\.1):\d+/", log.read_text())
        if found:
            server = Server(found[0], token)
            with suppress(requests.ConnectionError):  # it tells its address before it listens
                server.call("GET", "status")
                return server
        time.sleep(0.2)
    raise AssertionError(f"the server did not start: {log.read_text()}")


class Server:
    """The parts of Jupyter's REST interface that the page uses."""

    def __init__(self, url, token):
        self.url = url
        self.token = token

    def call(self, verb, path, **kwargs):
        """Ask the REST interface."""
        headers = {"Authorization": f"token {self.token}"}
        answer = requests.request(
            verb, f"{self.url}api/{path}", headers=headers, timeout=WAIT, **kwargs
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def open(self, path):
        """Open a notebook as the page does; returns its kernel."""
        session = self.call(
            "POST",
            "sessions",
            json={"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}},
        )
        return session["kernel"]["id"]

    def channel(self, kernel):
        """Connect to a kernel."""
        address = f"{self.url.replace('http', 'ws', 1)}api/kernels/{kernel}/channels"
        return websocket.create_connection(f"{address}?token={self.token}", timeout=WAIT)


def execute(channel, source):
    """Run one cell as the page does; returns its outputs."""
    request = uuid.uuid4().hex
    header = {"msg_id": request, "msg_type": "execute_request", "session": "test", "version": "5.3"}
    content = {"code": source, "silent": False, "stop_on_error": True, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
    channel.send(json.dumps({**message, "channel": "shell"}))
    outputs = []
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        answer = json.loads(channel.recv())
        if answer["parent_header"].get("msg_id") != request:
            continue
        kind, content = answer["msg_type"], answer["content"]
        if kind in {"display_data", "execute_result"}:
            outputs.append(content["data"])
        if kind == "error":
            pytest.fail("\n".join([source, *content["traceback"]]))
        if kind == "status" and content["execution_state"] == "idle":
            return outputs
    raise AssertionError(f"no answer within {WAIT} s: {source}")


def restart_and_run_all(server, path):
    kernel = server.open(path)
    server.call("POST", f"kernels/{kernel}/restart")
    cells = server.call("GET", f"contents/{path}")["content"]["cells"]
    with closing(server.channel(kernel)) as channel:
        outputs = [
            execute(channel, cell["source"]) for cell in cells if cell["cell_type"] == "code"
        ]
    server.call("DELETE", f"kernels/{kernel}")
    return outputs


@pytest.mark.parametrize("path", sorted(p.name for p in NOTEBOOKS.glob("*.ipynb")))
def test_chapter_shows_the_reports_numbers_in_jupyterlab(server, edition, path):
    outputs = restart_and_run_all(server, path)
    shown = [bundle for cell in outputs for bundle in cell]
    assert shown
    assert all({"text/html", "image/svg+xml"} & set(bundle) for bundle in shown)
    if not (edition.folder / "notebooks" / path).exists():  # a chapter of another report
        return
    made = nbformat.read(edition.folder / "notebooks" / path, as_version=4)
    report = [
        output["data"]
        for cell in made.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    assert parts(shown) == parts(report)


def parts(bundles):
    return [
        (mime, data) for bundle in bundles for mime, data in bundle.items() if OURS.fullmatch(mime)
    ]
