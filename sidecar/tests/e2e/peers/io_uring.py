"""Speaks HTTP with itself at a port, by a process that has an io_uring: the first request is received by ordinary calls,
the second one by the ring, at the end of the call that sends it. Exits with 77 where no ring is to be had."""

import ctypes
import mmap
import socket
import struct
import sys

SETUP, ENTER = 425, 426
SQ_RING, SQES = 0, 0x10000000
RECV = 27

libc = ctypes.CDLL(None, use_errno=True)
parameters = ctypes.create_string_buffer(120)
ring = libc.syscall(SETUP, 4, parameters)
if ring < 0:
    sys.exit(77)
words = struct.unpack("30I", parameters.raw)
# Behind ten words: where things are in the rings, which share one mapping since kernel 5.4.
sq_tail, sq_array = words[10 + 1], words[10 + 6]
cq_tail = words[20 + 1]
rings = mmap.mmap(ring, 4096, offset=SQ_RING)
entries = mmap.mmap(ring, 4 * 64, offset=SQES)


def answer(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def request(connection, path):
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path)


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
request(client, b"/call")
server.recv(100)
answer(server)
client.recv(100)

buffer = ctypes.create_string_buffer(100)
entries[:64] = struct.pack("BBHiQQIIQ24x", RECV, 0, 0, server.fileno(), 0, ctypes.addressof(buffer), 100, 0, 1)
rings[sq_array : sq_array + 4] = struct.pack("I", 0)
rings[sq_tail : sq_tail + 4] = struct.pack("I", 1)
assert libc.syscall(ENTER, ring, 1, 0, 0, None, 0) == 1
request(client, b"/ring")
assert rings[cq_tail] == 1 and buffer.value.startswith(b"GET /ring")
answer(server)
client.recv(100)
