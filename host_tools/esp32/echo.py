"""Data through a relay of the board: a device of its network sends, a service behind the gateway sends it back."""

import os
import socket
import threading

from host_tools.peers.inside import inside, listening, reach
from host_tools.peers.network import INNER, Namespaces

SIZE = 20_000  # bytes, each way
PORT = 1883  # of the service, and of the relay
DOOR = 18830  # in the board's namespace: where the emulator's network lets devices in
RELAY = {"listen": f"0.0.0.0:{PORT}", "to": f"{INNER}:{PORT}"}
FORWARD = f",hostfwd=tcp:127.0.0.1:{DOOR}-:{PORT}"  # a word of the emulator's `-nic`
_PATIENCE_S = 300  # of the PC's time: an emulated board is slow


class Echo:
    """Both ends of one connection."""

    def __init__(self, namespaces: Namespaces):
        with inside(namespaces.gateway):
            self._service = listening(INNER, PORT, seconds=_PATIENCE_S)
        self._board = namespaces.board
        self.problem = "nothing came of it"
        self._threads = [threading.Thread(target=step, daemon=True) for step in (self._serve, self._ask)]

    def start(self) -> None:
        """Begins the connection; `problem` is "" once all its bytes have come back."""
        for thread in self._threads:
            thread.start()

    def finish(self) -> str:
        """Waits for the end of a connection that the board has closed. What went wrong; "" if nothing did."""
        for thread in self._threads:
            thread.join(10)
        self._service.close()
        return self.problem

    def _serve(self):
        device, _ = self._service.accept()
        with device:
            device.settimeout(_PATIENCE_S)
            while data := device.recv(4_096):
                device.sendall(data)

    def _ask(self):
        try:
            with inside(self._board):
                asked = reach("127.0.0.1", DOOR)
            with asked:
                asked.settimeout(_PATIENCE_S)
                sent, got = os.urandom(SIZE), b""
                asked.sendall(sent)
                while len(got) < SIZE and (data := asked.recv(4_096)):
                    got += data
                asked.shutdown(socket.SHUT_WR)
                self.problem = "" if got == sent else f"{len(got)} of {SIZE} bytes came back, or others"
        except OSError as error:
            self.problem = str(error)
