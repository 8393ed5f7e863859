"""Calls grpc_server.py in every form, and checks what it answers.

Usage: grpc_client.py ADDRESS:PORT CALLS, the number of calls one after the other, and then at once.
"""

import sys

import grpc

METADATA = (
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("x-request-id", "r-17"),
)


def fails(call, code):
    """Makes a call that must end with `code`."""
    try:
        answer = call()
        # A stream tells only when it is read.
        for _ in answer if not isinstance(answer, bytes) else ():
            pass
    except grpc.RpcError as error:
        assert error.code() == code, error
        return
    raise AssertionError(f"no {code}")


def main():
    count = int(sys.argv[2])
    with grpc.insecure_channel(sys.argv[1]) as channel:
        get = channel.unary_unary("/shop.Cart/Get")
        items = channel.unary_stream("/shop.Cart/List")
        put = channel.stream_unary("/shop.Cart/Put")
        chat = channel.stream_stream("/shop.Cart/Chat")

        for number in range(count):
            assert get(b"%d" % number) == b"got %d" % number
        assert get(b"17", metadata=METADATA, timeout=20) == b"got 17"
        assert len(list(items(b"5"))) == 5
        assert list(items(b"0")) == []
        assert put(iter([b"a", b"b", b"c"])) == b"3"
        assert list(chat(iter([b"a", b"b", b"c"]))) == [b"a", b"b", b"c"]

        fails(lambda: get(b"nothing"), grpc.StatusCode.NOT_FOUND)
        fails(lambda: get(b"crash"), grpc.StatusCode.UNKNOWN)
        fails(lambda: get(b"slow", timeout=0.5), grpc.StatusCode.DEADLINE_EXCEEDED)
        fails(lambda: chat(iter([b"a", b"quit"])), grpc.StatusCode.UNAVAILABLE)
        fails(lambda: channel.unary_unary("/shop.Cart/Steal")(b""), grpc.StatusCode.UNIMPLEMENTED)

        # Many at once on one connection.
        calls = [get.future(b"together") for _ in range(count)]
        assert all(call.result() == b"got together" for call in calls)


main()
