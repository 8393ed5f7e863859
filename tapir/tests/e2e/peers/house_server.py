"""Answers each message of the house protocol of plugins/sdk with its text in capitals, at port 7700."""

import socketserver
import struct


class House(socketserver.StreamRequestHandler):
    def handle(self):
        while head := self.rfile.read(6):
            (length,) = struct.unpack(">H", head[4:])
            self.wfile.write(b"DM\2" + head[3:] + self.rfile.read(length).upper())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("", 7700), House).serve_forever()
