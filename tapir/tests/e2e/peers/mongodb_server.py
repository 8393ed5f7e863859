"""A small server for MongoDB's clients. Usage: mongodb_server.py ADDRESS PORT.

Neither Debian nor PyPI, npm or crates.io has a server that could be installed beside the client, so this one
answers what the client asks, in the words of the MongoDB manual: documents and compressors are those of the
client's own library, and what a collection holds is a list. It knows filters on one field, batches, exhaust
cursors, unacknowledged writes, duplicate keys and SCRAM-SHA-256.
"""

import base64
import hashlib
import hmac
import socketserver
import struct
import sys
import threading

import bson
from pymongo import compression_support

OP_REPLY, OP_QUERY, OP_COMPRESSED, OP_MSG = 1, 2004, 2012, 2013
CHECKSUM_PRESENT, MORE_TO_COME, EXHAUST_ALLOWED = 1, 1 << 1, 1 << 16
COMPRESSORS = {
    1: compression_support.SnappyContext(),
    2: compression_support.ZlibContext(6),
    3: compression_support.ZstdContext(),
}
USER, PASSWORD, SALT, ITERATIONS = "ada", "correct horse", b"0123456789abcdef", 4096

collections = {}
lock = threading.Lock()


def failure(code, name, text):
    return {"ok": 0.0, "errmsg": text, "code": code, "codeName": name}


def sha256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


class Login:
    """RFC 5802 and RFC 7677, for the one user there is."""

    def __init__(self):
        self.first = self.answer = b""

    def start(self, payload):
        self.first = payload[3:]
        fields = dict(part.split(b"=", 1) for part in self.first.split(b","))
        self.answer = b"r=%sserver,s=%s,i=%d" % (fields[b"r"], base64.b64encode(SALT), ITERATIONS)
        return {"conversationId": 1, "done": False, "payload": self.answer, "ok": 1.0}

    def go_on(self, payload):
        if not payload:
            return {"conversationId": 1, "done": True, "payload": b"", "ok": 1.0}
        without_proof, proof = payload.rsplit(b",p=", 1)
        said = b",".join([self.first, self.answer, without_proof])
        salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT, ITERATIONS)
        key = sha256(salted, b"Client Key")
        signature = sha256(hashlib.sha256(key).digest(), said)
        if base64.b64decode(proof) != bytes(a ^ b for a, b in zip(key, signature)):
            return failure(18, "AuthenticationFailed", "Authentication failed.")
        mine = base64.b64encode(sha256(sha256(salted, b"Server Key"), said))
        return {"conversationId": 1, "done": False, "payload": b"v=" + mine, "ok": 1.0}


class Connection(socketserver.BaseRequestHandler):
    """One client."""

    def setup(self):
        self.answers = 0
        self.cursors = {}
        self.login = Login()

    def receive(self, size):
        data = b""
        while len(data) < size:
            piece = self.request.recv(size - len(data))
            if not piece:
                raise ConnectionResetError
            data += piece
        return data

    def handle(self):
        try:
            while True:
                self.message()
        except ConnectionError:
            pass

    def message(self):
        length, number, _, operation = struct.unpack("<4i", self.receive(16))
        body = self.receive(length - 16)
        compressor = 0
        if operation == OP_COMPRESSED:
            operation, _, compressor = struct.unpack_from("<iib", body)
            body = compression_support.decompress(body[9:], compressor, 1 << 25)
        if operation == OP_QUERY:
            namespace, _, rest = body[4:].partition(b"\0")
            command = bson.decode(rest[8:])
            command["$db"] = namespace.split(b".")[0].decode()
            head = struct.pack("<iqii", 8, 0, 0, 1)
            self.send(OP_REPLY, number, head + bson.encode(self.command(command)), 0)
            return
        flags, = struct.unpack_from("<I", body)
        command = self.sections(body[4 : -4 if flags & CHECKSUM_PRESENT else None])
        answer = self.command(command)
        if flags & MORE_TO_COME:
            return
        # An exhaust cursor: each further answer follows the one before it.
        while flags & EXHAUST_ALLOWED and "getMore" in command and answer["cursor"]["id"]:
            number = self.tell(number, answer, compressor, MORE_TO_COME)
            answer = self.command(command)
        self.tell(number, answer, compressor, 0)

    def sections(self, data):
        command = {}
        while data:
            kind, (length,) = data[0], struct.unpack_from("<i", data, 1)
            section, data = data[1 : 1 + length], data[1 + length :]
            if kind == 0:
                command.update(bson.decode(section))
            else:
                name, _, documents = section[4:].partition(b"\0")
                command[name.decode()] = bson.decode_all(documents)
        return command

    def tell(self, to, answer, compressor, flags):
        return self.send(OP_MSG, to, struct.pack("<Ib", flags, 0) + bson.encode(answer), compressor)

    def send(self, operation, to, body, compressor):
        self.answers += 1
        if compressor:
            head = struct.pack("<iib", operation, len(body), compressor)
            operation, body = OP_COMPRESSED, head + COMPRESSORS[compressor].compress(body)
        self.request.sendall(struct.pack("<4i", len(body) + 16, self.answers, to, operation) + body)
        return self.answers

    def command(self, command):
        name = next(key for key in command if key not in ("documents", "updates", "deletes"))
        does = getattr(self, "do_" + name.lower(), None)
        if not does:
            return failure(59, "CommandNotFound", f"no such command: '{name}'")
        with lock:
            return does(command, collections.setdefault(f"{command['$db']}.{command[name]}", []))

    def do_ismaster(self, command, _):
        wanted = command.get("compression", [])
        return {
            "helloOk": True, "ismaster": True, "maxBsonObjectSize": 16 << 20, "maxMessageSizeBytes": 48000000,
            "maxWriteBatchSize": 100000, "logicalSessionTimeoutMinutes": 30, "minWireVersion": 0,
            "maxWireVersion": 21, "compression": wanted[:1], "ok": 1.0,
        }

    do_hello = do_ismaster

    def do_saslstart(self, command, _):
        return self.login.start(command["payload"])

    def do_saslcontinue(self, command, _):
        return self.login.go_on(command["payload"])

    def do_ping(self, _command, _):
        return {"ok": 1.0}

    do_endsessions = do_ping

    def do_insert(self, command, stored):
        errors = []
        for index, document in enumerate(command["documents"]):
            if any(other["_id"] == document["_id"] for other in stored[:100]):
                text = f"E11000 duplicate key error collection: {command['$db']}.{command['insert']}"
                errors.append({"index": index, "code": 11000, "errmsg": text})
            else:
                stored.append(document)
        answer = {"n": len(command["documents"]) - len(errors)}
        return {**answer, **({"writeErrors": errors} if errors else {}), "ok": 1.0}

    def matching(self, query, stored):
        return [document for document in stored if query.items() <= document.items()]

    def do_update(self, command, stored):
        update = command["updates"][0]
        found = self.matching(update["q"], stored)
        for document in found:
            document.update(update["u"]["$set"])
        return {"n": len(found), "nModified": len(found), "ok": 1.0}

    def do_delete(self, command, stored):
        found = self.matching(command["deletes"][0]["q"], stored)
        stored[:] = [document for document in stored if document not in found]
        return {"n": len(found), "ok": 1.0}

    def do_find(self, command, stored):
        if "$nonsense" in command["filter"]:
            return failure(2, "BadValue", "unknown top level operator: $nonsense")
        left = self.matching(command["filter"], stored)[: command.get("limit") or None]
        self.cursors[7] = left
        return self.batch(command, "firstBatch", command["find"], 7)

    def do_getmore(self, command, _):
        if command["getMore"] not in self.cursors:
            return failure(43, "CursorNotFound", f"cursor id {command['getMore']} not found")
        return self.batch(command, "nextBatch", command["collection"], command["getMore"])

    def batch(self, command, name, collection, number):
        left = self.cursors[number]
        size = command.get("batchSize", 101)
        batch, self.cursors[number] = left[:size], left[size:]
        if not self.cursors[number]:
            del self.cursors[number]
        more = number if number in self.cursors else 0
        cursor = {name: batch, "id": bson.Int64(more), "ns": f"{command['$db']}.{collection}"}
        return {"cursor": cursor, "ok": 1.0}

    def do_killcursors(self, command, _):
        for number in command["cursors"]:
            self.cursors.pop(number, None)
        return {"cursorsKilled": command["cursors"], "ok": 1.0}

    def do_aggregate(self, command, stored):
        total = [{"_id": 1, "n": len(stored)}] if stored else []
        namespace = f"{command['$db']}.{command['aggregate']}"
        return {"cursor": {"firstBatch": total, "id": bson.Int64(0), "ns": namespace}, "ok": 1.0}


class Server(socketserver.ThreadingTCPServer):
    """Clients side by side."""

    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    Server((sys.argv[1], int(sys.argv[2])), Connection).serve_forever()
