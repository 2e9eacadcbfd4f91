"""Brokers that speak MQTT 5 well for a while, and then do not."""

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


class _Broker:
    """Takes connections; a subclass serves each until it raises OSError."""

    def __init__(self):
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
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        try:
            with connection:
                _packet(connection)
                self.connects += 1
                connection.sendall(CONNACK)
                self._serve(connection, self.connects)
        except OSError:
            return

    def _serve(self, connection: socket.socket, number: int) -> None:
        raise NotImplementedError


class BrokenBroker(_Broker):
    """Sends whatever bytes it was made for when the subscription stands."""

    def __init__(self, poison: bytes):
        self.poison = poison
        super().__init__()

    def _serve(self, connection: socket.socket, number: int) -> None:
        _, subscribe = _packet(connection)
        connection.sendall(b"\x90\x04" + subscribe[:2] + b"\x00\x01" + self.poison)
        while True:
            _packet(connection)


class SilentBroker(_Broker):
    """Takes publications at QoS 1 and acknowledges none of the first connection, which stays."""

    PUBLISH = 3

    def __init__(self):
        self.payloads: dict[int, list[bytes]] = {}  # By connection, from 1.
        super().__init__()

    def _serve(self, connection: socket.socket, number: int) -> None:
        taken = self.payloads.setdefault(number, [])
        while True:
            kind, body = _packet(connection)
            if kind != self.PUBLISH:
                continue
            packet_id = 2 + int.from_bytes(body[:2], "big")
            properties = packet_id + 2
            assert body[properties] < 0x80, "properties of a length that takes more than a byte"
            taken.append(body[properties + 1 + body[properties] :])
            if number > 1:
                connection.sendall(b"\x40\x02" + body[packet_id : packet_id + 2])
