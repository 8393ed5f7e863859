"""Passes TCP connections on, and tells which Kafka messages it has passed."""

import socket
import struct
import threading


class Frames:
    """Cuts a stream into messages: a length, and as many bytes. Keeps the first bytes of each."""

    HEAD_BYTES = 64

    def __init__(self):
        self.heads = []
        self._head = b""
        self._left = 0

    def pass_on(self, data):
        while data:
            if self._left == 0:
                taken, data = data[: 4 - len(self._head)], data[4 - len(self._head) :]
                self._head += taken
                if len(self._head) < 4:
                    return
                self._left = struct.unpack(">i", self._head)[0]
                self._head = b""
            taken, data = data[: self._left], data[self._left :]
            self._left -= len(taken)
            self._head += taken[: self.HEAD_BYTES - len(self._head)]
            if self._left == 0:
                self.heads.append(self._head)
                self._head = b""


class Connection:
    """One connection that was passed on."""

    def __init__(self, near, far):
        self.port = far.getsockname()[1]
        self.asked = Frames()
        self.told = Frames()
        self._threads = [
            threading.Thread(target=self._pump, args=ends, daemon=True)
            for ends in ((near, far, self.asked), (far, near, self.told))
        ]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _pump(source, sink, frames):
        try:
            while data := source.recv(1 << 16):
                frames.pass_on(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def join(self):
        for thread in self._threads:
            thread.join(timeout=10)

    def requests(self):
        """API key, version, correlation id, client's name, and whether it was answered, of each request."""
        answered = {struct.unpack(">i", head[:4])[0] for head in self.told.heads}
        for head in self.asked.heads:
            key, version, correlation, length = struct.unpack(">hhih", head[:10])
            yield key, version, correlation, head[10 : 10 + length].decode(), correlation in answered


class Relay:
    """Passes what connects to `near` on to `far`, an address and a port each."""

    def __init__(self, near, far):
        self.connections = []
        self._far = far
        self._listener = socket.create_server(near)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self._listener.accept()
            far = socket.create_connection(self._far)
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.append(Connection(near, far))
