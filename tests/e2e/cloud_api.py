"""The local cloud's control plane, driven with Python's own HTTP client."""
import http.client
import json
import pathlib
import urllib.parse

import harness

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
