"""`costcalc serve`: it answers the page in this machine's browser and nothing else."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import costcalc
from costcalc.analysis.page.live import Engine
from costcalc.cli import serving
from costcalc.cli.serve import _first
from costcalc.cli.serving import Server

SMALL = "input: [8, 8, 3]\nlayers:\n  - {conv: 3x3, out: 4}\n"


@pytest.fixture(scope="module")
def server():
    """A server whose requests are answered by a thread, like the main thread of the command."""
    engine = Engine()
    with Server(engine, _first(engine, None)) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        threading.Thread(target=made.work, daemon=True).start()
        yield made
        made.shutdown()


def sent(server, method="GET", path="", body=None, headers=None, token=None):
    """(status, headers, body) of a request; `headers` replace those of a page."""
    token = server.token if token is None else token
    own = {"Host": server.names[0], "X-Costcalc-Token": server.token, "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(serving.ADDRESS, server.server_port, timeout=20)
    connection.putrequest(method, f"/{token}/{path}", skip_host=True, skip_accept_encoding=True)
    length = {"Content-Length": str(len(body))} if body is not None else {}
    for name, value in {**own, **length, **(headers or {})}.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    found = response.status, dict(response.getheaders()), response.read()
    connection.close()
    return found


def asked(server, question, **more):
    return sent(server, "POST", "ask", json.dumps(question).encode(), **more)


LOOK = {"ask": "look", "source": {"name": "net.yaml", "text": SMALL}}


def test_it_answers_its_page(server):
    status, headers, body = sent(server)
    assert status == 200
    assert server.token.encode() in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    for name in ("play.js", "play.css", "schema.json"):
        assert sent(server, path=name)[0] == 200
    status, _, body = asked(server, LOOK)
    assert json.loads(body)["document"]["points"][0]["totals"][1] == 3 * 3 * 3 * 4
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1.evil.example:PORT", None]
)
def test_a_name_that_leads_here_is_refused(server, host):
    """DNS rebinding: another site's name resolves to this address."""
    host = host and host.replace("PORT", str(server.server_port))
    for status, _, body in (sent(server, headers={"Host": host}), asked(server, LOOK, headers={"Host": host})):
        assert status == 421
        assert server.token.encode() not in body


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_sites_are_refused(server, headers):
    assert asked(server, LOOK, headers=headers)[0] == 403
    assert sent(server, headers=headers)[0] == 403


def test_without_the_token_nothing_is_told(server):
    for token in ("", "x", server.token[:-1], server.token + "x"):
        status, _, body = sent(server, token=token)
        assert status == 404
        assert server.token.encode() not in body
    for given in (None, "", "x", "\xff" * 8):
        assert asked(server, LOOK, headers={"X-Costcalc-Token": given})[0] == 403


def test_a_form_of_another_site_is_refused(server):
    """Requests that a page may send without a preflight never have the required content type."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None):
        assert asked(server, LOOK, headers={"Content-Type": kind})[0] == 415
    assert sent(server, "OPTIONS", "ask")[0] == 501
    assert "Access-Control-Allow-Origin" not in asked(server, LOOK)[1]


def test_an_address_that_cannot_be_read_is_refused(server):
    """Python's URL parser raises ValueError."""
    assert sent(server, path="?" + "a=1&" * 9)[0] == 400


@pytest.mark.parametrize("path", ["../serve.py", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "page.js", "play.js/", "%00"])
def test_no_file_of_the_disk_is_served(server, path):
    assert sent(server, path=path)[0] == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": None}, 411),
        ({"Content-Length": None, "Transfer-Encoding": "chunked"}, 411),
        ({"Content-Length": "-1"}, 411),
        ({"Content-Length": "1e9"}, 411),
        ({"Content-Length": "9" * 40}, 413),
        ({"Content-Length": "40000000"}, 413),
    ],
)
def test_bodies_have_a_length_within_the_limit(server, headers, status):
    assert asked(server, LOOK, headers=headers)[0] == status


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"1" * 5_000, b'{"ask": "look"', b"NaN"])
def test_bodies_that_are_no_question(server, body):
    status, _, text = sent(server, "POST", "ask", body)
    assert status == 400 or "problems" in json.loads(text)


def test_a_file_of_a_model(server, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.chdir(tmp_path)
    costcalc.export("squeezenet1_0", "model.onnx")
    data = Path("model.onnx").read_bytes()
    monkeypatch.setattr(serving.tempfile, "tempdir", str(tmp_path))
    headers = {"Content-Type": "application/octet-stream"}
    answer = sent(server, "POST", "hold?key=1&name=..%2F..%2Fnet.onnx", data, headers)
    assert json.loads(answer[2]) == {"file": "1"}
    document = json.loads(asked(server, {"ask": "look", "source": {"file": "1"}})[2])["document"]
    assert document["points"][0]["totals"][1] == costcalc.analyze("squeezenet1_0").totals["params"]
    assert list(tmp_path.glob("costcalc-*")) == []  # read, and gone
    assert sent(server, "POST", "hold?key=1&name=a.sh", b"x", headers)[0] == 400
    assert sent(server, "POST", "hold?name=a.onnx", b"x", headers)[0] == 400


def test_a_browser_that_stalls_holds_nobody_up(server):
    """Browsers open connections in advance."""
    idle = [socket.create_connection((serving.ADDRESS, server.server_port)) for _ in range(20)]
    idle[0].sendall(b"POST /")
    start = time.monotonic()
    assert asked(server, LOOK)[0] == 200
    assert time.monotonic() - start < 5
    for one in idle:
        one.close()


def test_a_bug_of_ours_is_told_and_the_next_question_answered(server, monkeypatch):
    monkeypatch.setattr(server.engine, "answer", lambda question: 1 / 0)
    assert asked(server, LOOK)[0] == 500
    monkeypatch.undo()
    assert asked(server, LOOK)[0] == 200


@contextmanager
def program(*args, **environment):
    """The program as a process, which also ends if the test fails."""
    line = [sys.executable, "-m", "costcalc", "serve", "--no-browser", *args]
    found = os.environ | environment
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=found) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_the_program(tmp_path):
    """It prints its address, applies limits per request, runs longer than a command may, and ends at Ctrl-C."""
    (tmp_path / "net.yaml").write_text(SMALL)
    with program(str(tmp_path / "net.yaml"), COSTCALC_LIMITS="run_seconds=1") as process:
        line = process.stdout.readline()
        port, token = line.split("127.0.0.1:")[1].split()[0].strip("/").split("/")
        made = type("Made", (), {"token": token, "server_port": int(port), "names": [f"127.0.0.1:{port}"]})
        assert b'"name":"net.yaml"' in sent(made)[2]
        slow = "input: [8, 8, 3]\nlayers: [{repeat: 90000, layers: [relu]}]\n"
        answer = json.loads(asked(made, {"ask": "look", "source": {"name": "net.yaml", "text": slow}})[2])
        assert "takes more than 1 seconds" in answer["problems"][0]["message"]
        assert "document" in json.loads(asked(made, LOOK)[2])
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr.read() == ""


def test_a_port_that_is_taken(run, server):
    result = run("serve", "--no-browser", "--port", str(server.server_port))
    assert result.code == 2
    assert "cannot listen on 127.0.0.1" in result.err
    assert run("serve", "--port", "70000").code == 2
    assert run("serve", "nothing.yaml").code == 2
