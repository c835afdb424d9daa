"""Fixtures: each starts real programs and stops them again."""
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import cloud_api
import harness


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures what the machine has left; not beside others")


@pytest.fixture
def folder():
    """A short path: Unix socket paths hold 107 bytes."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="pe-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def cleanup():
    """Call it with anything that has a stop(); all are stopped in reverse order."""
    started = []

    def add(thing):
        started.append(thing)
        return thing

    yield add
    errors = []
    for thing in reversed(started):
        try:
            thing.stop()
        except AssertionError as error:
            errors.append(error)
    if errors:
        raise errors[0]


@pytest.fixture(scope="session")
def certificates():
    """One local cloud folder per run: making RSA keys takes a while."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="pe-cloud-"))
    cloud = harness.Cloud(path / "cloud")
    cloud.stop()
    yield path / "cloud"
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def cloud(certificates, folder, cleanup):
    shutil.copytree(certificates, folder / "cloud", symlinks=True)
    return cleanup(harness.Cloud(folder / "cloud"))


@pytest.fixture
def modbus(cleanup):
    return cleanup(harness.ModbusServer())


@pytest.fixture
def api(folder, cleanup):
    """The local cloud's control plane alone."""
    return cleanup(cloud_api.CloudApi(folder / "cloud"))
