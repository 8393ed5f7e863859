"""Gets each path of its input from the web server at argv[1], on one connection, and prints the status."""

import http.client
import sys

server = http.client.HTTPConnection(sys.argv[1])
for path in map(str.strip, sys.stdin):
    server.request("GET", path)
    answer = server.getresponse()
    answer.read()
    print(answer.status, flush=True)
