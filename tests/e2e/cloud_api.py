"""The local cloud's control plane, driven with Python's own HTTP client."""
import http.client
import json
import pathlib
import re
import socket
import subprocess
import urllib.parse

import harness

# Status and type of the refusals that most calls know.
INVALID = (400, "InvalidRequestException")
MISSING = (404, "ResourceNotFoundException")
EXISTS = (409, "ResourceAlreadyExistsException")
ARN = "arn:aws:iot:eu-central-1:000000000000:"
NOBODY = "0" * 64

ALLOW_ALL = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]})


class CloudApi:
    """penstock-cloud api in a folder of its own: the control plane without a broker."""

    def __init__(self, folder, *arguments):
        self.folder = pathlib.Path(folder)
        self.arguments = arguments
        self.start()

    def start(self):
        ready = self.folder.parent / f"{self.folder.name}.api-ready"
        ready.unlink(missing_ok=True)
        self.program = harness.Program([
            harness.BIN / "penstock-cloud", "api", self.folder, "--api-port", "0", "--ready-file",
            ready, *self.arguments])
        harness.wait_for(lambda: ready.exists() or self.program.process.poll() is not None,
                         "the control plane to be ready")
        assert ready.exists(), self.program.text()
        self.url = json.loads(ready.read_text())["api_url"]
        self.port = urllib.parse.urlsplit(self.url).port

    def stop(self):
        if self.program is not None:
            assert self.program.stop() == 0, self.program.text()
            self.program = None

    def raw(self, method, path, body=None, headers=None):
        """(status, headers, bytes)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=harness.PATIENCE)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def ok(self, method, path, body=None, principal=None, **headers):
        """The answer of a call that succeeds."""
        if principal:
            headers["x-amzn-principal"] = principal
        data = json.dumps(body) if isinstance(body, dict) else body
        status, found, text = self.raw(method, path, data, headers)
        assert status == 200, (status, text)
        assert "x-amzn-errortype" not in found
        return json.loads(text) if text else {}

    def refused(self, status, error, method, path, body=None, principal=None, **headers):
        """The answer of a call that is refused with that status and type."""
        if principal:
            headers["x-amzn-principal"] = principal
        data = json.dumps(body) if isinstance(body, dict) else body
        found_status, found, text = self.raw(method, path, data, headers)
        assert (found_status, found["x-amzn-errortype"]) == (status, error), text
        answer = json.loads(text)
        assert answer["message"]
        return answer

    # what most tests begin with

    def thing(self, name, **body):
        return self.ok("POST", f"/things/{name}", body)

    def certificate(self, active=True):
        return self.ok("POST", f"/keys-and-certificate?setAsActive={str(active).lower()}")

    def policy(self, name, document=ALLOW_ALL):
        return self.ok("POST", f"/policies/{name}", {"policyDocument": document})


def quote(text):
    return urllib.parse.quote(text, safe="")


def openssl(*arguments, stdin=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=stdin, text=True, check=True,
                          capture_output=True, timeout=harness.PATIENCE).stdout


def make_ca(folder, name, subject):
    key, pem = folder / f"{name}.key", folder / f"{name}.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", pem, "-days", "9", "-subj", subject)
    return key, pem


def sign(folder, name, subject, ca):
    key, request, pem = (folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", request, "-subj", subject)
    openssl("x509", "-req", "-in", request, "-CAkey", ca[0], "-CA", ca[1], "-CAcreateserial",
            "-out", pem, "-days", "9")
    return pem.read_text()


class Stream:
    """The console's event stream."""

    def __init__(self, api, query):
        self.socket = socket.create_connection(("127.0.0.1", api.port), timeout=harness.PATIENCE)
        self.socket.sendall(f"GET /console/events?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n"
                            .encode())
        self.bytes = b""
        self.until(b": subscribed")

    def until(self, text):
        while text not in self.bytes:
            more = self.socket.recv(65536)
            assert more, self.bytes
            self.bytes += more

    def messages(self, count):
        found = []
        while len(found) < count:
            self.until(b"\n\n")
            found = [json.loads(line) for line in re.findall(rb"^data: (.*)$", self.bytes, re.M)]
            if len(found) < count:
                self.bytes += self.socket.recv(65536)
        return found

    def stop(self):
        self.socket.close()
