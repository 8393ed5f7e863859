"""Asks a Redis for each line that it is given, by one connection. Arguments: the server's port, its own."""

import socket
import sys

server, own = int(sys.argv[1]), int(sys.argv[2])
connection = socket.create_connection(("127.0.0.1", server), source_address=("127.0.0.1", own))
print("connected", flush=True)
for line in sys.stdin:
    connection.sendall(line.encode())
    print(connection.recv(100).decode().strip(), flush=True)
