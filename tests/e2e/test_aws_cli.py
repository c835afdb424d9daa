"""The manual's chapter 1 with Debian's AWS command line, a client of the API not written by us."""
import shutil
import subprocess

import harness
import pytest


@pytest.mark.skipif(shutil.which("aws", path="/usr/bin") is None, reason="awscli is not installed")
@pytest.mark.timeout(300)
def test_chapter_1_of_the_manual(folder, cleanup):
    cloud = cleanup(harness.Cloud(folder / "cloud"))
    done = subprocess.run([harness.HERE / "aws_chapter1.sh", cloud.ready["api_url"], folder],
                          text=True, capture_output=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("chapter 1 is done\n")
