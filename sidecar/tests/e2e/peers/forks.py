"""An HTTP server whose processes come and go; every answer is the pid of whoever gives it. Arguments: how, port, and the
shell that it executes, if it does."""

import os
import signal
import socket
import sys
import time

how, port = sys.argv[1], int(sys.argv[2])
shell = sys.argv[3] if len(sys.argv) > 3 else "sh"
listener = socket.create_server(("127.0.0.1", port), backlog=64)

# Answers one request at its standard input and output, as servers behind inetd do. Programs stay for a while after their
# answers: who looks for them then still finds them.
SHELL = r"""
while read line; do [ "$line" = "$(printf '\r')" ] && break; done
body=$$
printf 'HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n%s' ${#body} $body
sleep 1
"""


def answer(connection):
    """Answers one request; False when none comes."""
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        piece = connection.recv(4096)
        if not piece:
            return False
        request += piece
    body = str(os.getpid())
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    return True


def execute(connection):
    for number in (0, 1):
        os.dup2(connection.fileno(), number)
    os.execvp(shell, [shell, "-c", SHELL])


def fork(connection):
    if os.fork() == 0:
        while answer(connection):
            pass
        os._exit(0)


def inetd(connection):
    if os.fork() == 0:
        # Whoever only tries whether somebody listens says nothing.
        if connection.recv(1, socket.MSG_PEEK):
            execute(connection)
        os._exit(0)


def other_program(connection):
    """The second request is answered by another program in the same process."""
    if os.fork() == 0:
        if answer(connection):
            time.sleep(0.5)
            execute(connection)
        os._exit(0)


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if how == "prefork":
    for _ in range(3):
        if os.fork() == 0:
            break
    while True:
        connection, _ = listener.accept()
        while answer(connection):
            pass
        connection.close()
while True:
    connection, _ = listener.accept()
    {"fork": fork, "inetd": inetd, "other_program": other_program}[how](connection)
    connection.close()
