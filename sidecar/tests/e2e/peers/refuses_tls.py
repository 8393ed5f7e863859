"""Knows no TLS: answers whatever comes with an alert, after a while. refuses_tls.py PORT."""
import socket
import sys
import time

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    connection, _ = listener.accept()
    if connection.recv(4096):
        time.sleep(2)
        connection.sendall(bytes.fromhex("15030300020228"))
        time.sleep(0.2)
    connection.close()
