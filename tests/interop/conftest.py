"""One strongSwan for all tests of this folder. They need root and Debian's packages, and fail without them."""

import os
from pathlib import Path

import pytest

from host_tools.peers.network import Namespaces
from host_tools.peers.strongswan import CHARON, Gateway


@pytest.fixture(scope="session")
def namespaces():
    if os.geteuid() != 0:
        pytest.fail("the interop tests need root", pytrace=False)
    if not Path(CHARON).exists():
        pytest.fail(f"the interop tests need strongSwan: {CHARON} is missing", pytrace=False)
    with Namespaces() as made:
        yield made


@pytest.fixture(scope="session")
def charon(namespaces, tmp_path_factory):
    with Gateway(namespaces, tmp_path_factory.mktemp("charon")) as gateway:
        yield gateway


@pytest.fixture
def gateway(charon, request):
    """The running strongSwan; what it logged is shown when the test fails."""
    failed = request.session.testsfailed
    yield charon
    if request.session.testsfailed > failed:
        print(charon.log())


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    charon = item.funcargs.get("gateway")
    if report.when == "call" and report.failed and charon:
        report.sections.append(("strongSwan's log", charon.log()[-20_000:]))
