"""The whole local cloud, driven over its API."""
import json

import cloud_api
import harness


class Cloud(cloud_api.CloudApi):
    """The whole local cloud, driven over its API; started again it has the same address."""

    port = 0

    def start(self):
        ready = self.folder.parent / f"{self.folder.name}.ready"
        ready.unlink(missing_ok=True)
        self.program = harness.Program([
            harness.BIN / "penstock-cloud", "run", self.folder, "--port", "0", "--api-port", self.port,
            "--ready-file", ready, "--quiet", *self.arguments])
        harness.wait_for(lambda: ready.exists() or self.program.process.poll() is not None,
                         "penstock-cloud to be ready")
        assert ready.exists(), self.program.text()
        self.ready = json.loads(ready.read_text())
        self.port = int(self.ready["api_url"].rsplit(":", 1)[1])

    @property
    def page(self):
        return f"{self.ready['api_url']}/console/"
