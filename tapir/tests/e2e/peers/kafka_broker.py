"""The broker that librdkafka brings along for tests. Usage: kafka_broker.py ADDRESS:PORT FILE.

It listens on a port of its own choice on 127.0.0.1, and says so to its clients: the port is written to FILE, and
what connects to ADDRESS:PORT is passed on to it.
"""

import sys
import time

from confluent_kafka import Producer

from kafka_relay import Relay


def main():
    address, port = sys.argv[1].split(":")
    cluster = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1})
    own_port = next(iter(cluster.list_topics(timeout=30).brokers.values())).port
    with open(sys.argv[2], "w", encoding="ascii") as file:
        file.write(str(own_port))
    Relay((address, int(port)), ("127.0.0.1", own_port))
    while True:
        time.sleep(60)


main()
