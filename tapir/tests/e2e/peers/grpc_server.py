"""A gRPC server with one method of each form. Usage: grpc_server.py ADDRESS:PORT. Messages are plain bytes."""

import sys
import time
from concurrent import futures

import grpc


def get(request, context):
    """Unary. What it answers, and with which status, is what it is asked for."""
    if request == b"nothing":
        context.abort(grpc.StatusCode.NOT_FOUND, "no such item: 50 %")
    if request == b"crash":
        raise ValueError("crash")
    if request == b"slow":
        time.sleep(30)
    return b"got " + request


def items(request, _context):
    """One request, many responses."""
    for number in range(int(request)):
        yield b"item %d" % number


def put(requests, _context):
    """Many requests, one response."""
    return b"%d" % sum(1 for _ in requests)


def chat(requests, context):
    """Each request has its response, until one that has none."""
    for request in requests:
        if request == b"quit":
            context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        yield request


class Shop(grpc.GenericRpcHandler):
    """The methods by name, without descriptions made by a compiler."""

    METHODS = {
        "/shop.Cart/Get": grpc.unary_unary_rpc_method_handler(get),
        "/shop.Cart/List": grpc.unary_stream_rpc_method_handler(items),
        "/shop.Cart/Put": grpc.stream_unary_rpc_method_handler(put),
        "/shop.Cart/Chat": grpc.stream_stream_rpc_method_handler(chat),
    }

    def service(self, details):
        return self.METHODS.get(details.method)


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8), handlers=[Shop()])
    server.add_insecure_port(sys.argv[1])
    server.start()
    server.wait_for_termination()


main()
