"""Speaks the house protocol over loopback: a server at port 7700, and a client that asks it three times.

A message is "DM", kind (1 request, 2 response), id, length (16 bits, big-endian), text.
"""

import socket
import struct
import threading

HEAD = struct.Struct(">2sBBH")


def send(stream, kind, number, text):
    stream.write(HEAD.pack(b"DM", kind, number, len(text)) + text.encode())
    stream.flush()


def receive(stream):
    """Number and text of the next message; None at the end."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    _, _, number, length = HEAD.unpack(head)
    return number, stream.read(length).decode()


def serve(listener):
    with listener.accept()[0] as connection, connection.makefile("rwb") as stream:
        while message := receive(stream):
            number, text = message
            send(stream, 2, number, text.upper())


with socket.create_server(("127.0.0.1", 7700)) as listener:
    server = threading.Thread(target=serve, args=[listener])
    server.start()
    with socket.create_connection(("127.0.0.1", 7700)) as connection, connection.makefile("rwb") as stream:
        for number, question in enumerate(["how are you", "what is new", "good bye"], start=1):
            send(stream, 1, number, question)
            print(question, "->", receive(stream)[1])
    server.join()
