"""Requests, certificates and updates on their way to emulated boards, through a socket and the real link."""

import json
import time
from base64 import b64encode
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from host_tools import admin, authority, board_command, carry, credential_command, demo, update_package
from host_tools import link as host_link
from host_tools.cli import main
from host_tools.emulator.board import firmware_main
from tests.app.test_update import KEY, MACHINE, NEW, OLD, PUBLIC
from tests.host_tools.test_board_commands import desk
from uike import reason
from uike.hal.esp32.slots import Slots
from uike.pki import device

SUBJECT = ("--subject", "C=DE, O=Example, CN=dev", "--name", "dev.example")


class Lab:
    """A CA in files, and two configurations that trust it; the initiator's key is to be made on the board."""

    def __init__(self, folder):
        self.ca = authority.Authority()
        self.files = folder / "ca.pem", folder / "ca.key"
        self.files[0].write_bytes(self.ca.certificate.public_bytes(serialization.Encoding.PEM))
        pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self.files[1].write_bytes(self.ca._private.private_bytes(*pem))
        trusted = [b64encode(authority.der(self.ca.certificate)).decode()]
        self.trees = demo.configurations("00")
        private = authority.private_key("p256")
        own = authority.der(self.ca.issue("gw.example", private.public_key())), authority.der(private)
        texts = [b64encode(each).decode() for each in own]
        (ours,), (theirs,) = [tree["connection"].values() for tree in self.trees]
        for table, more in ((ours, {"key": "device"}), (theirs, {"cert": texts[:1], "key": texts[1]})):
            del table["psk_hex"]
            table.update(more, cacerts=trusted, require_time=False)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("ca"))


def test_a_request_a_ca_and_its_certificate(tmp_path, lab):
    asked, given = tmp_path / "gw.csr", tmp_path / "gw.pem"
    with desk(tmp_path, trees=lab.trees) as there:
        out, err = there.run("provision", "csr", *SUBJECT, "-o", str(asked))
        assert out == f"a request: CN=dev,O=Example,C=DE for dev.example, in {asked}\n" and err == ""
        request = x509.load_pem_x509_csr(asked.read_bytes())
        assert request.is_signature_valid and request.subject.rfc4514_string() == "CN=dev,O=Example,C=DE"
        again = json.loads(there.run("provision", "csr", *SUBJECT, "--json")[0])
        assert x509.load_pem_x509_csr(again["pem"].encode()).public_key() == request.public_key()
        assert there.run("provision", "csr", *SUBJECT)[0].startswith("-----BEGIN CERTIFICATE REQUEST-----\n")
        strangers = authority.Authority(name="another CA").answer(request)
        given.write_bytes(strangers.public_bytes(serialization.Encoding.PEM))
        _, err = there.run("provision", "cert", "--cert", str(given), code=1)
        assert "the board refuses, MISSING_ISSUER: " in err and err.count("; ") >= 1
        given.write_bytes(lab.ca.issue("a", authority.private_key("p256").public_key()).public_bytes(
            serialization.Encoding.PEM))  # fmt: skip
        _, err = there.run("provision", "cert", "--cert", str(given), code=1)
        assert "not for a key of this board" in err and device.PAIR not in there.host.files
        made = lab.ca.answer(request)
        given.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        out, _ = there.run("provision", "cert", "--cert", str(given))
        assert out.startswith("installed: CN=dev,O=Example,C=DE, good until 20") and "certificates: 1" in out
        assert there.host.files[device.PAIR].endswith(authority.der(made))
        there.until("child_up")


@pytest.mark.parametrize(("runtime", "kind"), [("cpython", "ed25519"), ("vm", "p256")])
def test_a_ca_of_the_lab_signs_at_once(tmp_path, lab, runtime, kind):
    """In the VM: within a board's heap."""
    kept = tmp_path / "dev.pem"
    words = ("provision", "csr", *SUBJECT, "--kind", kind, "--ca", *map(str, lab.files))
    with desk(tmp_path, runtime, trees=lab.trees) as there:
        out, _ = there.run(*words, "-o", str(kept))
        assert out == f"installed: CN=dev,O=Example,C=DE for dev.example, in {kept}\n"
        made = x509.load_pem_x509_certificate(kept.read_bytes())
        made.verify_directly_issued_by(lab.ca.certificate)
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["dev.example"]
        assert there.host.files[device.PAIR].endswith(authority.der(made))
        there.until("child_up")


def test_tunnels_make_room_and_come_back(tmp_path, lab, monkeypatch):
    """Where the board has no memory for it beside them."""
    request, failures = host_link.Link.request, []

    def crowded(link, command, body=b""):
        if command["do"] == "csr" and not failures:
            failures.append(command)
            raise host_link.CommandError({"error": "not enough memory"})
        return request(link, command, body)

    monkeypatch.setattr(credential_command, "_CLOSING_S", 0.1)
    with desk(tmp_path, trees=lab.trees) as there:
        there.run("provision", "csr", *SUBJECT, "--ca", *map(str, lab.files))
        there.until("child_up")
        monkeypatch.setattr(host_link.Link, "request", crowded)
        _, err = there.run("provision", "csr", *SUBJECT, "--ca", *map(str, lab.files))
        assert err.count("they are closed, and it restarts") == 1
        there.until("closed", reason.DELETED_BY_US)
        end = time.monotonic() + 60
        while len(there.said("child_up")) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        assert len(there.said("child_up")) == 2


def test_with_an_admin_secret_both_want_its_proof(tmp_path, lab):
    secret = {"admin": admin.key("open sesame")}
    given = tmp_path / "x.pem"
    given.write_bytes(lab.files[0].read_bytes())
    with desk(tmp_path, trees=lab.trees, files=secret) as there:
        for words in (("csr", *SUBJECT), ("cert", "--cert", str(given))):
            _, err = there.run("provision", *words, code=1)
            assert "ADMIN_PROOF_WANTED" in err
            _, err = there.run("provision", *words, "--admin", "open barley", code=1)
            assert "ADMIN_PROOF_WRONG" in err
        for verb in ("csr", "cert"):
            there.host.type_line(json.dumps({"do": verb, "subject": "CN=x"}).encode())
        there.until("command_error")
        assert not {device.PENDING, device.PAIR} & there.host.files.keys()
        there.run("provision", "csr", *SUBJECT, "--admin", "open sesame")
        assert there.host.files[device.PENDING] and not there.said("credentials")


def test_wrong_use(tmp_path, lab):
    certificate, key = map(str, lab.files)
    other = tmp_path / "other.key"
    update_package.write_new_key(other)
    for words, said in (
        (("provision",), "--config"),
        (("provision", "--config", certificate, "cert", "--cert", certificate), "one of the commands"),
        (("provision", "cert", "--cert", key), "no certificates in PEM"),
        (("provision", "csr", *SUBJECT, "--ca", certificate, certificate), "no key in PEM"),
        (("provision", "csr", *SUBJECT, "--ca", certificate, str(other)), "is not the key of"),
    ):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 2 and said in result.stderr and result.stdout == "", words
    result = CliRunner().invoke(main, ["provision", "--port", "socket://127.0.0.1:1", "csr", *SUBJECT])
    assert result.exit_code == 3 and "nobody listens there" in result.stderr


@pytest.mark.parametrize("command", ["csr", "cert"])
def test_each_help_has_an_example(command):
    result = CliRunner().invoke(main, ["provision", command, "--help"], terminal_width=200)
    assert result.exit_code == 0 and f"Example: uike provision {command}" in result.stdout and "--json" in result.stdout


# -- updates ---------------------------------------------------------------------------------------------------------


class Slotted:
    """The firmware on a CPython board with two slots in a folder; each start is the launcher's, and it finds the new
    version good, unless told otherwise."""

    def __init__(self, root, good=True):
        self.slots = Slots(str(root))
        self.root, self.good, self.starts = root, good, 0
        for path, data in OLD.items():
            (root / "a" / path).parent.mkdir(parents=True, exist_ok=True)
            (root / "a" / path).write_bytes(data)

    def __call__(self, board):
        self.starts += 1
        if self.slots.read()[1]:
            self.slots.confirm() if self.good else (self.root / "slot").write_text("a")
        board.store.fallen = ()
        board.life = SimpleNamespace(slots=lambda: self.slots, machine=MACHINE, safe=False)
        board.life.tell = lambda trace: setattr(board.life, "trace", trace)
        firmware_main()(board)

    def files(self):
        """Of the version that is on."""
        folder = self.root / self.slots.read()[0]
        found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return {path: data for path, data in found.items() if path not in ("package", "signature", "list")}


BIG = {**NEW, "uike/big.mpy": bytes(range(256)) * 40}


def packed(path, files=BIG, number=2, key=KEY):
    """A package for the emulated board, in a file."""
    made = update_package.make(files, number, "0.2.0", MACHINE, key)
    header = made.header.replace(b'"esp32"', b'"cpython"')
    path.write_bytes(
        update_package.dump(made._replace(header=header, signature=key.sign(update_package.MARK + header)))
    )
    return str(path)


def updating(tmp_path, good=True, **files):
    """(a desk with such a board, that board)"""
    slotted = Slotted(tmp_path, good)
    return desk(tmp_path, files={"update.key": PUBLIC, **files}, entry=slotted), slotted


def size(files=BIG):
    return len(update_package._list(files)) + sum(map(len, files.values()))


def test_an_update_by_the_link(tmp_path):
    path = packed(tmp_path / "new.uike")
    there, slotted = updating(tmp_path)
    with there as there:
        out, err = there.run("update", "--package", path)
        assert out == f"uike 0.1.0 on cpython: number 2 runs; {size():,} bytes sent\n" and err == ""
        assert slotted.starts == 2 and slotted.files() == BIG and (tmp_path / "slot").read_text() == "b"
        assert len(there.said("update")) == 2
        result = json.loads(there.run("update", "--package", path, "--json")[0])
        assert result["ran"] and result["sent"] == 0 and slotted.starts == 2
        _, err = there.run("update", "--package", packed(tmp_path / "old.uike", number=1), code=1)
        assert "number 2 runs already" in err


@pytest.mark.parametrize("cut", [0, 1, 4, 8])
def test_what_was_cut_off_goes_on_where_it_stopped(tmp_path, monkeypatch, cut):
    """By the number of writes after which the cable is pulled; the last one is cut before "commit"."""
    path = packed(tmp_path / "new.uike")
    there, slotted = updating(tmp_path)
    with there as there:
        request, left = host_link.Link.request, [cut]

        def failing(link, command, body=b""):
            if command.get("step") in ("write", "commit"):
                left[0] -= 1
                if left[0] < 0:
                    raise host_link.NoAnswer("the cable")
            return request(link, command, body)

        with monkeypatch.context() as patch:
            patch.setattr(host_link.Link, "request", failing)
            there.run("update", "--package", path, code=1)
        assert slotted.files() == OLD and slotted.starts == 1
        result = json.loads(there.run("update", "--package", path, "--json")[0])
        sent = [
            len(data) for _, _, data in update_package.parse((tmp_path / "new.uike").read_bytes()).steps(carry.PIECE)
        ]
        assert result["resumed"] and result["sent"] == sum(sent[cut:])
        assert slotted.files() == BIG and slotted.starts == 2


def test_a_break_between_commit_and_restart(tmp_path, monkeypatch):
    path = packed(tmp_path / "new.uike")
    there, slotted = updating(tmp_path)
    with there as there:
        with monkeypatch.context() as patch:
            patch.setattr(board_command, "start_again", lambda link: link.request({"do": "no such thing"}))
            _, err = there.run("update", "--package", path, code=1)
            assert "unknown command" in err and slotted.starts == 1
        result = json.loads(there.run("update", "--package", path, "--json")[0])
        assert result["sent"] == 0 and not result["ran"] and slotted.starts == 2


def test_what_is_damaged_on_the_board_is_sent_anew(tmp_path, monkeypatch):
    path = packed(tmp_path / "new.uike")
    there, slotted = updating(tmp_path)
    with there as there:
        append = slotted.slots.append
        monkeypatch.setattr(
            slotted.slots, "append", lambda name, data: append(name, data.replace(b"new main", b"old main"))
        )
        _, err = there.run("update", "--package", path, code=1)
        assert "main.mpy is not what was signed" in err and not (tmp_path / "b").exists()
        monkeypatch.setattr(slotted.slots, "append", append)
        assert not json.loads(there.run("update", "--package", path, "--json")[0])["resumed"]
        assert slotted.files() == BIG


def test_a_version_that_is_given_up(tmp_path):
    path = packed(tmp_path / "new.uike")
    there, slotted = updating(tmp_path, good=False)
    with there as there:
        _, err = there.run("update", "--package", path, code=1)
        assert "number 2 did not start: number 0 is back" in err and slotted.files() == OLD


def test_an_older_version_is_no_update_that_was_begun(tmp_path):
    """What lies in the other slot from the last time is signed, too."""
    old, new = packed(tmp_path / "old.uike", number=2), packed(tmp_path / "new.uike", NEW, number=3)
    there, slotted = updating(tmp_path)
    with there as there:
        for path in (old, new):
            there.run("update", "--package", path)
        _, err = there.run("update", "--package", old, code=1)
        assert "number 3 runs already" in err and slotted.files() == NEW


def test_an_update_wants_the_proof_once(tmp_path):
    path = packed(tmp_path / "new.uike")
    there, slotted = updating(tmp_path, admin=admin.key("open sesame"))
    with there as there:
        _, err = there.run("update", "--package", path, code=1)
        assert "ADMIN_PROOF_WANTED" in err and not (tmp_path / "b").exists()
        there.run("update", "--package", path, "--admin", "open sesame")
        assert slotted.files() == BIG


@pytest.mark.parametrize("step", ["size", "write", "commit"])
def test_nothing_without_an_opening(tmp_path, step):
    from host_tools.board_command import linked

    there, _ = updating(tmp_path)
    with there as there, linked(there.serial.url) as link:
        with pytest.raises(host_link.CommandError, match="open comes first"):
            link.request({"do": "update", "step": step, "path": "main.mpy", "at": 0}, b"x")


def test_a_board_without_slots(tmp_path):
    with desk(tmp_path) as there:
        _, err = there.run("update", "--package", packed(tmp_path / "new.uike"), code=1)
        assert "update: not on this platform" in err
