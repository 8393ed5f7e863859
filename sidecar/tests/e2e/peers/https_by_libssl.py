"""HTTPS by a libssl of any version since 1.1, without Python's own.

https_by_libssl.py LIBSSL serve PORT CERTIFICATE KEY, or https_by_libssl.py LIBSSL get URL..."""
import ctypes
import glob
import os.path
import socket
import sys
import urllib.parse

library, what, *rest = sys.argv[1:]
# What it needs lies beside it, as wheels have it.
for needed in glob.glob(os.path.dirname(library) + "/libcrypto*"):
    ctypes.CDLL(needed)
ssl = ctypes.CDLL(library)
POINTERS = "TLS_client_method", "TLS_server_method", "SSL_CTX_new", "SSL_new"
for name in POINTERS:
    getattr(ssl, name).restype = ctypes.c_void_p
PEM = 1


def call(name, *arguments):
    """A function that gives a pointer, or 1 for success."""
    result = getattr(ssl, name)(*arguments)
    if name in POINTERS:
        return ctypes.c_void_p(result)
    assert result == 1, name
    return result


def new_session(context, connection):
    session = call("SSL_new", context)
    call("SSL_set_fd", session, connection.fileno())
    return session


def read(session, end):
    """Reads until `end`; False when nothing comes."""
    said = b""
    while not said.endswith(end):
        buffer = ctypes.create_string_buffer(4096)
        count = ssl.SSL_read(session, buffer, len(buffer))
        if count <= 0:
            return b""
        said += buffer.raw[:count]
    return said


def write(session, said):
    assert ssl.SSL_write(session, said, len(said)) == len(said)


def serve(port, certificate, key):
    context = call("SSL_CTX_new", call("TLS_server_method"))
    call("SSL_CTX_use_certificate_chain_file", context, certificate.encode())
    call("SSL_CTX_use_PrivateKey_file", context, key.encode(), PEM)
    listener = socket.create_server(("127.0.0.1", int(port)))
    while True:
        connection, _ = listener.accept()
        session = new_session(context, connection)
        # Whoever only tries whether somebody listens has no TLS.
        if ssl.SSL_accept(session) == 1:
            while request := read(session, b"\r\n\r\n"):
                body = b"hello from %s\n" % request.split()[1]
                write(session, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        ssl.SSL_free(session)
        connection.close()


def get(*urls):
    parts = [urllib.parse.urlsplit(url) for url in urls]
    connection = socket.create_connection((parts[0].hostname, parts[0].port))
    session = new_session(call("SSL_CTX_new", call("TLS_client_method")), connection)
    call("SSL_connect", session)
    for url in parts:
        write(session, f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
        assert read(session, f"hello from {url.path}\n".encode())
    ssl.SSL_shutdown(session)
    ssl.SSL_free(session)


{"serve": serve, "get": get}[what](*rest)
