# SPDX-License-Identifier: Apache-2.0
"""A controller made of made-up data: the page's files and docs/http-api.md's JSON, and days that go badly."""

import gzip
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import synthetic

WEB = Path(__file__).resolve().parents[2] / "controller/SondeServer/web"
CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page_files():
    """The files that assets.c embeds, joined as the C preprocessor joins them."""
    source = (WEB / "assets.c").read_text()
    kinds = {"html": "text/html; charset=utf-8", "svg": "image/svg+xml", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
    files = {}
    for array, body in re.findall(r"unsigned char (\w+)\[\] = \{(.*?)\n\};", source, re.S):
        text = b""
        for name, rest in re.findall(r'#embed "([^"]+)"(.*)', body):
            text += (b"/*" if "JOINED" in rest else b"") + (WEB / name).read_bytes()
        path = array.replace("_", ".")
        files[path] = (kinds[path.rsplit(".", 1)[1]], text)
    return files


class Days:
    """What the stub answers; tests change it while the page is open."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tree = synthetic.bookmaker()
        self.flame = None  # a ready answer instead of the tree
        self.services = True
        self.empty = False
        self.away = False
        self.failing = None  # (status, code, message) for every read
        self.token = None
        # What each tenant's name shows; None keeps no tenants apart.
        self.tenants = None
        self.role = "developer"
        self.truncated = False
        self.notes = []
        self.agents = [agent("host-a", 4711, "5f0c2c1e-a"), agent("host-b", 4712, "5f0c2c1e-b")]
        self.requests = []
        self.patches = []
        self.answered_flames = 0


def agent(host, pid, instance, **fields):
    now = int(time.time() * 1000)
    return {
        "service": "bookmaker", "instance": instance, "version": "1.4.2", "host": host, "pid": pid, "labels": {"region": "eu"},
        "state": "connected", "startedMs": now - 3_600_000, "lastSeenMs": now - 1200, "agentVersion": "0.1.0",
        "notes": ["CPU time is sampled at 100 Hz in every thread"], "problems": [],
        "cpu": {"enabled": True, "hertz": 100, "desired": None, "samples": 352_110}, "ownCPUPercent": 0.12,
        "processCPUPercent": 97.4, "ownMemoryBytes": 6_291_456, "threads": 9, "profilesSent": 360, "losses": {"ring full": 0},
        "buildIDs": [], "missingDebugInfo": [], **fields,
    }


def instant(text, now):
    found = re.fullmatch(r"now-(\d+)([smhdw])", text)
    if found:
        return now - int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[found[2]] * 1000
    return now if text == "now" else int(text)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    days: Days

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.serve()

    def do_PATCH(self):
        self.serve()

    def serve(self):
        days = self.days
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with days.lock:
            days.requests.append((self.command, url.path, dict(query)))
        path = url.path.lstrip("/") or "index.html"
        files = page_files()
        if path in files:
            return self.send(200, files[path][0], files[path][1])
        if days.away:
            # As a controller that dies: the connection ends without an answer.
            self.close_connection = True
            return None
        if days.token and self.headers.get("Authorization") != f"Bearer {days.token}":
            found = "no token" if not self.headers.get("Authorization") else "an unknown token"
            return self.refuse(401, "unauthenticated", f"cannot use the API: got {found}; want Authorization: Bearer <token>")
        if days.tenants is not None and self.headers.get("X-Scope-OrgID") not in days.tenants:
            return self.refuse(401, "unauthenticated", "cannot serve without a tenant: got no X-Scope-OrgID; want the tenant's name, for tenancy is on", missing="tenant")
        if self.command == "PATCH":
            return self.change(query, json.loads(body))
        if days.failing:
            return self.refuse(*days.failing)
        answer = getattr(self, "answer_" + path.removeprefix("api/v1/"), None)
        if not answer:
            return self.refuse(404, "not_found", f"cannot find {path}: got an unknown path; want one of the API's")
        now = int(time.time() * 1000)
        query["from"], query["until"] = instant(query.get("from", "now-1h"), now), instant(query.get("until", "now"), now)
        return answer(query)

    def change(self, query, body):
        if self.days.role == "viewer":
            return self.refuse(403, "permission_denied", "cannot change agents: got role viewer; want developer or admin")
        self.days.patches.append((query, body))
        chosen = [one for one in self.days.agents if query.get("instance") in (None, one["instance"])]
        for one in chosen:
            one["cpu"]["desired"] = body["cpu"]
            if body["cpu"]:
                one["cpu"].update(body["cpu"])
        return self.reply({"instances": [one["instance"] for one in chosen]})

    def answer_services(self, _):
        types = [{"id": CPU, "name": "cpu", "unit": "nanoseconds"}]
        services = [
            {"name": "bookmaker", "profileTypes": types, "agents": len(self.days.agents)},
            {"name": "ledger", "profileTypes": types, "agents": 0},
        ]
        self.reply({"services": services if self.days.services else []})

    def answer_flame(self, query):
        days = self.days
        if query.get("format", "json") != "json":
            return self.send(200, "text/plain", b"_start;main 30\n")
        with days.lock:
            days.answered_flames += 1
        if days.flame is not None:
            return self.send(200, "application/json", days.flame)
        tree = synthetic.Tree() if days.empty else days.tree
        self.reply(tree.answer(
            **{"from": query["from"], "until": query["until"]}, truncated=days.truncated, notes=days.notes,
            **({"profiles": 0} if days.empty else {})))

    def answer_top(self, query):
        rows = [{"name": "Hidden.inOther()", "file": "Hidden.swift", "line": 3, "module": synthetic.BINARY, "kind": 0, "self": 5_000_000_000, "total": 5_000_000_000}]
        self.reply({"type": CPU, "unit": "nanoseconds", "total": 1, "profiles": 12, "functions": rows, "notes": []})

    def answer_timeline(self, query):
        length = query["until"] - query["from"]
        step = max(10_000, length // 300 // 1000 * 1000)
        points = []
        for number, at in enumerate(range(query["from"] // step * step, query["until"], step)):
            if number % 97 < 4:
                continue
            points.append([at, int(step * 1e6 * (0.7 + 0.25 * ((number * 37) % 11) / 10))])
        self.reply({"unit": "nanoseconds", "stepMs": step, "points": [] if self.days.empty else points})

    def answer_agents(self, _):
        self.reply({"agents": self.days.agents})

    def answer_series(self, _):
        labels = [{"service_name": "bookmaker", "host": host, "region": "eu"} for host in ("host-a", "host-b")]
        self.reply({"series": [{"type": CPU, "labels": entry} for entry in labels]})

    def reply(self, value, status=200):
        self.send(status, "application/json", json.dumps(value, separators=(",", ":")).encode())

    def refuse(self, status, code, message, **details):
        self.reply({"code": code, "message": message, **details}, status)

    def send(self, status, kind, body):
        packed = "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > 512
        if packed:
            body = gzip.compress(body, 5)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)


class Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A page that asks something else closes its connections; that is no error."""


class Stub:
    """A running stub; `days` is what it answers, `url` where."""

    def __init__(self, port=0):
        self.days = Days()
        handler = type("BoundHandler", (Handler,), {"days": self.days})
        self.server = Listener(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    stub = Stub(4050)
    print(stub.url, flush=True)
    threading.Event().wait()
