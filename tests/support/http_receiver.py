#!/usr/bin/env python3
"""An HTTP receiver that stands for whatever an http sink delivers to.

It takes every POST and PUT, honours `Idempotency-Key` (a key that was accepted before is answered with success
and not taken twice; with other bytes it is refused with 422), and fails on demand. The first line of its output
is `port N`. SIGTERM or SIGINT ends it with a summary line.

  http_receiver.py --port 0 --log received.jsonl
  http_receiver.py --script '503,429;retry-after=2,reset,200'
  http_receiver.py --delay 0.04 --refuse poison

A script is a comma-separated list of steps, one per request; when it is used up, every request is accepted.

  200, 503, …      answer with this status; a 2xx accepts the request
  reset            read the request, then reset the connection; nothing is accepted
  cut              accept, then reset the connection in the middle of the response
  drip             accept, then send the response byte by byte, a byte each 50 ms
  hang             read the request and say nothing until the client leaves
  mute             accept and answer, then neither read nor close: the connection is half open
  garbage          accept, then answer with chunks that are none
  nonsense         accept, then answer with bytes that are no HTTP
  continue         answer "100 Continue" first, then accept
  hints            answer "103 Early Hints" first, then accept
  headers          accept, then answer with headers without an end
  trailer          accept, then answer in chunks with a field behind them

Options of a step follow behind ';':  delay=SECONDS  retry-after=TEXT  location=URL

With --delay every answer takes so long; `--max-body BYTES` answers 413 to larger bodies, and `--refuse TEXT` answers 400 to
bodies that have the text in them.

For tests there are, under a path that no sink is pointed at:
  GET /-/requests     every request as JSON: method, path, headers, body (base64), text (decompressed), status,
                      taken (true: accepted for the first time)
  GET /-/summary      {"requests", "accepted", "replayed", "records", "changed"}: changed ones came under a key that
                      had come with other bytes, whether they were accepted or not
  POST /-/script      appends the steps of its body
"""

import argparse
import base64
import gzip
import hashlib
import http.server
import json
import os
import signal
import socket
import ssl
import struct
import sys
import threading
import time

KNOWN_WORDS = ("reset", "cut", "drip", "hang", "mute", "garbage", "nonsense", "continue", "hints", "headers", "trailer")
DRIP_SECONDS = 0.05
MUTE_SECONDS = 60


def parse_script(text):
    steps = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        word, *pairs = part.split(";")
        options = dict(pair.split("=", 1) for pair in pairs)
        if word not in KNOWN_WORDS and not word.isdigit():
            raise ValueError(f"unknown step '{word}': expected a status or one of {', '.join(KNOWN_WORDS)}")
        unknown = set(options) - {"delay", "retry-after", "location"}
        if unknown:
            raise ValueError(f"unknown option of a step: {', '.join(sorted(unknown))}")
        steps.append((word, options))
    return steps


def count_records(body, content_type):
    """Elements of a JSON array, or lines that are not empty, or one."""
    if "ndjson" in content_type or "csv" in content_type:
        return sum(1 for line in body.splitlines() if line.strip())
    if "json" in content_type:
        try:
            value = json.loads(body)
            return len(value) if isinstance(value, list) else 1
        except ValueError:
            return 1
    return 1


class Ledger:
    """What was received; shared by all connections."""

    def __init__(self, log_path, script):
        self.lock = threading.Lock()
        self.taking = threading.Lock()  # One decision at a time: a resend may come while the first is decided.
        self.script = list(script)
        self.requests = []
        self.accepted = {}
        self.seen = {}
        self.counts = {"requests": 0, "accepted": 0, "replayed": 0, "records": 0, "changed": 0}
        self.log = None
        if log_path:
            self._read_back(log_path)
            self.log = open(log_path, "a", encoding="utf-8")

    def _read_back(self, path):
        """Keys accepted before a restart stay accepted."""
        if not os.path.exists(path):
            return
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                if entry["key"]:
                    self.accepted[entry["key"]] = entry["sha256"]

    def next_step(self):
        with self.lock:
            return self.script.pop(0) if self.script else ("accept", {})

    def add_steps(self, steps):
        with self.lock:
            self.script.extend(steps)

    def judge(self, key, digest):
        """'new', 'replay' or 'conflict'."""
        with self.lock:
            if not key or key not in self.accepted:
                return "new"
            return "replay" if self.accepted[key] == digest else "conflict"

    def note(self, request, status, taken):
        with self.lock:
            self.counts["requests"] += 1
            self.requests.append(dict(request, status=status, taken=taken))

    def compare(self, key, digest):
        """Whatever comes under one key is the same bytes."""
        with self.lock:
            if key and self.seen.setdefault(key, digest) != digest:
                self.counts["changed"] += 1

    def replay(self):
        with self.lock:
            self.counts["replayed"] += 1

    def accept(self, request, key, digest, text):
        headers = {name.lower(): value for name, value in request["headers"]}
        records = count_records(text, headers.get("content-type", ""))
        with self.lock:
            if key:
                self.accepted[key] = digest
            self.counts["accepted"] += 1
            self.counts["records"] += records
            if self.log:
                entry = {
                    "time": time.time(),
                    "path": request["path"],
                    "key": key,
                    "sha256": digest,
                    "gateway": headers.get("leat-gateway"),
                    "attempt": headers.get("leat-attempt"),
                    "records": records,
                    "body": text,
                }
                self.log.write(json.dumps(entry) + "\n")
                self.log.flush()

    def snapshot(self, what):
        with self.lock:
            return json.dumps(self.requests if what == "requests" else self.counts).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "receiver"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset(self):
        """RST in place of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def do_GET(self):
        if self.path in ("/-/requests", "/-/summary"):
            return self.answer(200, self.server.ledger.snapshot(self.path[3:]), [("Content-Type", "application/json")])
        return self.answer(405 if not self.path.startswith("/-/") else 404)

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_POST(self):
        body = self.read_body()
        if len(body) < int(self.headers.get("Content-Length", 0)):
            self.close_connection = True  # The client died in the middle of its request: nothing was received.
            return None
        if self.path == "/-/script":
            try:
                self.server.ledger.add_steps(parse_script(body.decode()))
            except ValueError as error:
                return self.answer(400, str(error).encode())
            return self.answer(204)
        return self.receive(body)

    do_PUT = do_POST

    def text_of(self, body):
        plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        return plain.decode("utf-8", "replace")

    def receive(self, body):
        ledger = self.server.ledger
        ledger.compare(self.headers.get("Idempotency-Key", ""), hashlib.sha256(body).hexdigest())
        word, options = ledger.next_step()
        request = {
            "method": self.command,
            "path": self.path,
            "headers": list(self.headers.items()),
            "body": base64.b64encode(body).decode(),
            "text": self.text_of(body),
        }
        time.sleep(float(options.get("delay", self.server.delay)))
        if word in ("reset", "hang"):
            ledger.note(request, 0, False)
            if word == "hang":
                self.connection.recv(1)
            return self.reset()
        status = int(word) if word.isdigit() else self.server.verdict(body, request["text"])
        if word == "continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if word == "hints":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
        extra = [(name.title(), options[name]) for name in ("retry-after", "location") if name in options]
        taken = False
        if 200 <= status < 300:
            with ledger.taking:
                status, extra, taken = self.take(request, body, status, extra)
        ledger.note(request, status, taken)
        if word == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of")
            self.wfile.flush()
            return self.reset()
        if word == "drip":
            return self.drip()
        if word in ("garbage", "nonsense"):
            return self.answer_wrongly(word)
        if word == "headers":
            return self.answer_without_end()
        if word == "trailer":
            return self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\nServer-Timing: a\r\n\r\n")
        if word == "mute":
            self.answer(status, b"", extra)
            time.sleep(MUTE_SECONDS)
            return self.reset()
        return self.answer(status, b"" if status == 204 else f"status {status}\n".encode(), extra)

    def take(self, request, body, status, extra):
        ledger = self.server.ledger
        key = self.headers.get("Idempotency-Key", "")
        digest = hashlib.sha256(body).hexdigest()
        verdict = ledger.judge(key, digest)
        if verdict == "conflict":
            return 422, extra, False
        if verdict == "replay":
            ledger.replay()
            return status, extra + [("Idempotent-Replayed", "true")], False
        ledger.accept(request, key, digest, request["text"])
        return status, extra, True

    def answer_wrongly(self, word):
        chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzebra\r\n"
        self.wfile.write(chunks if word == "garbage" else b"\x00\x01 what is this?\r\n\r\n")
        self.wfile.flush()
        self.close_connection = True

    def answer_without_end(self):
        self.close_connection = True
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                self.wfile.write(b"X-More: and more\r\n" * 1000)
        except OSError:
            return  # The client has had enough.

    def drip(self):
        try:
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"." * 1000:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(DRIP_SECONDS)
        except OSError:
            self.close_connection = True


class Receiver(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, ledger, options):
        super().__init__(address, Handler)
        self.ledger = ledger
        self.delay = options.delay
        self.max_body = options.max_body
        self.refused = options.refuse

    def verdict(self, body, text):
        """The status of a request for which the script says nothing else."""
        if self.max_body and len(body) > self.max_body:
            return 413
        return 400 if self.refused and self.refused in text else 200

    def handle_error(self, request, client_address):
        """Clients that leave are part of the game."""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--log", metavar="FILE", help="append each accepted request as a JSON line")
    parser.add_argument("--script", default="", help="what to do with the first requests")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="before each answer")
    parser.add_argument("--max-body", type=int, default=0, metavar="BYTES", help="answer 413 to larger bodies")
    parser.add_argument("--refuse", default="", metavar="TEXT", help="answer 400 to bodies with this text in them")
    parser.add_argument("--tls-certificate", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
    parser.add_argument("--tls-client-ca", metavar="FILE", help="ask clients for a certificate of this authority")
    options = parser.parse_args()
    try:
        options.script = parse_script(options.script)
    except ValueError as error:
        parser.error(str(error))
    return options


def wrap_tls(server, options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls_certificate, options.tls_key)
    if options.tls_client_ca:
        context.load_verify_locations(options.tls_client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)


def main():
    options = arguments()
    ledger = Ledger(options.log, options.script)
    server = Receiver((options.host, options.port), ledger, options)
    if options.tls_certificate:
        wrap_tls(server, options)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"port {server.server_address[1]}", flush=True)
    server.serve_forever(poll_interval=0.05)
    print("received " + " ".join(f"{name}={count}" for name, count in ledger.counts.items()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
