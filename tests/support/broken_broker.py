"""A broker that speaks MQTT 5 well until all subscriptions stand, and then sends whatever bytes it was made for."""

import socket
import threading

CONNACK = b"\x20\x03\x00\x00\x00"


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise OSError("the client has gone")
        data += piece
    return data


def _packet(connection: socket.socket) -> tuple[int, bytes]:
    kind = _read(connection, 1)[0]
    length, shift = 0, 0
    while True:
        byte = _read(connection, 1)[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return kind >> 4, _read(connection, length)


class BrokenBroker:
    def __init__(self, poison: bytes):
        self.poison = poison
        self.connects = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # Closed.
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                _packet(connection)
                self.connects += 1
                connection.sendall(CONNACK)
                _, subscribe = _packet(connection)
                connection.sendall(b"\x90\x04" + subscribe[:2] + b"\x00\x01" + self.poison)
                while True:
                    _packet(connection)
        except OSError:
            return
