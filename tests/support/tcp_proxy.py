"""A TCP proxy between a client and a server, as a bad network: it stalls, delays, cuts."""

import socket
import threading
import time


class TcpProxy:
    """Forwards `port` on the loopback to the port it is made for.

    `stall`: connections stay, nothing gets through, as when a cable is pulled. `cut`: connections end, new ones are
    refused. `delay`: seconds that each piece waits before it goes on. `heal` ends all of it; what a stall held back
    goes on its way.
    """

    def __init__(self, target: int):
        self.target = target
        self.delay = 0.0
        self.open = threading.Event()
        self.open.set()
        self.lock = threading.Lock()
        self.sockets: list[socket.socket] = []
        self.connections = 0
        self.refusing = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def stall(self) -> None:
        self.open.clear()

    def cut(self) -> None:
        with self.lock:
            self.refusing = True
        self._close_all()

    def heal(self) -> None:
        with self.lock:
            self.refusing = False
        self.delay = 0.0
        self.open.set()

    def close(self) -> None:
        self.listener.close()
        self.open.set()
        self._close_all()

    def _close_all(self) -> None:
        with self.lock:
            ending, self.sockets = self.sockets, []
        for one in ending:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # It has ended by itself.
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return  # Closed.
            with self.lock:
                refused = self.refusing
            if refused:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            with self.lock:
                self.connections += 1
                self.sockets += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while True:
                self.open.wait()
                piece = source.recv(65536)
                if self.delay:
                    time.sleep(self.delay)
                self.open.wait()
                if not piece:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(piece)
        except OSError:
            for one in (source, sink):
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # The other direction was faster.
