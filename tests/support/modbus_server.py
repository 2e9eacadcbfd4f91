"""Devices that speak Modbus: libmodbus's server side behind a loopback port or on a pseudo-terminal, and a server that
answers what it must not."""

import ctypes
import os
import select
import socket
import threading
import tty

LIBRARY = ctypes.CDLL("libmodbus.so.5")
LONGEST = 260  # Bytes of a request.
LINE_REQUEST = 8  # One to read on a serial line: unit, function, address, count, checksum.
REGISTERS = 200  # Of each table of a unit.


class Mapping(ctypes.Structure):
    """modbus_mapping_t"""

    _fields_ = [
        *((name, ctypes.c_int) for name in ("nb_bits", "start_bits", "nb_input_bits", "start_input_bits")),
        *((name, ctypes.c_int) for name in ("nb_input_registers", "start_input_registers")),
        *((name, ctypes.c_int) for name in ("nb_registers", "start_registers")),
        ("coils", ctypes.POINTER(ctypes.c_uint8)),
        ("discrete", ctypes.POINTER(ctypes.c_uint8)),
        ("input", ctypes.POINTER(ctypes.c_uint16)),
        ("holding", ctypes.POINTER(ctypes.c_uint16)),
    ]


LIBRARY.modbus_new_tcp.restype = ctypes.c_void_p
LIBRARY.modbus_new_rtu.restype = ctypes.c_void_p
LIBRARY.modbus_new_rtu.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char, ctypes.c_int, ctypes.c_int]
LIBRARY.modbus_mapping_new.restype = ctypes.POINTER(Mapping)
for function, more in {
    "modbus_set_socket": [ctypes.c_int],
    "modbus_set_slave": [ctypes.c_int],
    "modbus_receive": [ctypes.c_char_p],
    "modbus_reply": [ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(Mapping)],
    "modbus_free": [],
}.items():
    getattr(LIBRARY, function).argtypes = [ctypes.c_void_p, *more]


class Device:
    """A thread that answers; `unit(3).holding[10] = 5` is what it answers with. Units in `silent` do not answer."""

    def __init__(self):
        self.silent: set[int] = set()
        self.units: dict[int, Mapping] = {}
        self.context = None
        self.thread: threading.Thread | None = None
        self.bell = os.pipe()
        self.connections: dict[int, socket.socket | None] = {}

    def unit(self, number: int) -> Mapping:
        if number not in self.units:
            self.units[number] = LIBRARY.modbus_mapping_new(*[REGISTERS] * 4).contents
        return self.units[number]

    def begin(self) -> None:
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Ends everything; a connection is closed."""
        if self.thread:
            os.write(self.bell[1], b"x")
            self.thread.join()
            os.read(self.bell[0], 1)
        self.thread = None
        for connection in self.connections.values():
            if connection:
                connection.close()
        self.connections = {}
        if self.context:
            LIBRARY.modbus_free(self.context)
        self.context = None

    def accept(self) -> None:
        raise NotImplementedError

    def listener(self) -> list[int]:
        return []

    def serve(self) -> None:
        while True:
            ready, _, _ = select.select([self.bell[0], *self.listener(), *self.connections], [], [])
            if self.bell[0] in ready:
                return
            for descriptor in ready:
                if descriptor in self.connections:
                    self.answer(descriptor)
                else:
                    self.accept()

    def answer(self, descriptor: int) -> None:
        query = ctypes.create_string_buffer(LONGEST)
        LIBRARY.modbus_set_socket(self.context, descriptor)
        length = self.receive(descriptor, query)
        if length < 0:
            connection = self.connections.pop(descriptor)
            if connection:
                connection.close()
        elif length > 0:
            number = query.raw[self.unit_at]
            if number not in self.silent:
                LIBRARY.modbus_reply(self.context, query, length, self.unit(number))

    def receive(self, descriptor: int, query: ctypes.Array) -> int:
        """The length of a request; 0: none for us; negative: there are no more."""
        return LIBRARY.modbus_receive(self.context, query)


class TcpDevice(Device):
    unit_at = 6  # Of a request's bytes.

    def __init__(self, port: int):
        super().__init__()
        self.port = port
        self.socket: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start(self) -> "TcpDevice":
        self.context = LIBRARY.modbus_new_tcp(b"127.0.0.1", self.port)
        self.socket = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self.begin()
        return self

    def stop(self) -> None:
        super().stop()
        if self.socket:
            self.socket.close()
        self.socket = None

    def listener(self) -> list[int]:
        return [self.socket.fileno()]

    def accept(self) -> None:
        connection, _ = self.socket.accept()
        self.connections[connection.fileno()] = connection


class LineDevice(Device):
    """One unit on a pseudo-terminal."""

    unit_at = 0

    def __init__(self, number: int):
        super().__init__()
        self.number = number
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)

    @property
    def url(self) -> str:
        return f"rtu://{os.ttyname(self.slave)}"

    def receive(self, descriptor: int, query: ctypes.Array) -> int:
        """The library would take the next request for the answer of a unit that is not there."""
        request = b""
        while len(request) < LINE_REQUEST:
            if not select.select([descriptor], [], [], 0.2)[0]:
                return 0
            request += os.read(descriptor, LINE_REQUEST - len(request))
        ctypes.memmove(query, request, len(request))
        LIBRARY.modbus_set_slave(self.context, request[0])
        return len(request) if request[0] == self.number else 0

    def start(self) -> "LineDevice":
        self.context = LIBRARY.modbus_new_rtu(os.ttyname(self.slave).encode(), 19200, b"E", 8, 1)
        self.connections[self.master] = None
        self.begin()
        return self

    def unplug(self) -> None:
        """The adapter is gone: whoever has the line open gets errors."""
        self.stop()
        os.close(self.master)
        os.close(self.slave)


class Liar:
    """Takes connections on a port and answers each request with what `lie` makes of it; None: closes."""

    def __init__(self, lie):
        self.lie = lie
        self.requests = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=[connection], daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        try:
            while request := connection.recv(LONGEST):
                self.requests += 1
                bytes_back = self.lie(request)
                if bytes_back is None:
                    break
                connection.sendall(bytes_back)
        except OSError:
            pass
        connection.close()

    def stop(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
