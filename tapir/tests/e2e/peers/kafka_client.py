"""Produces, consumes and commits with two client libraries. Usage: kafka_client.py ADDRESS:PORT FILE BYTES.

The broker names itself as 127.0.0.1 and the port in FILE: there a relay listens that passes all on to ADDRESS:PORT.
Each request that it has passed is printed as a line of JSON: the port of its connection, the name of its API, its
version, its correlation id, the client's name, and whether it was answered. BYTES is how long the longest message is.
"""

import json
import sys

import confluent_kafka
import kafka

from kafka_relay import Relay

TRACE = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


def librdkafka(broker, long):
    """Produces with and without acknowledgements and in a transaction, and consumes in a group."""
    base = {"bootstrap.servers": broker, "client.id": "shop-c"}
    producer = confluent_kafka.Producer({**base, "acks": "all", "linger.ms": 0})
    producer.produce("orders", b"one", partition=0, headers=[TRACE])
    assert producer.flush(30) == 0
    producer.produce("orders", b"x" * long, partition=1)
    assert producer.flush(30) == 0

    careless = confluent_kafka.Producer({**base, "client.id": "careless", "acks": 0})
    careless.produce("logs", b"a line", partition=0)
    assert careless.flush(30) == 0

    payer = confluent_kafka.Producer({**base, "client.id": "payer", "transactional.id": "pay-1"})
    payer.init_transactions(30)
    payer.begin_transaction()
    payer.produce("bills", b"paid", partition=0)
    payer.commit_transaction(30)

    consumer = confluent_kafka.Consumer({**base, "group.id": "billing", "auto.offset.reset": "earliest"})
    consumer.subscribe(["orders"])
    seen = []
    while len(seen) < 2:
        message = consumer.poll(30)
        assert message is not None and message.error() is None, message and message.error()
        seen.append(len(message.value()))
    assert sorted(seen) == [3, long], seen
    consumer.commit(asynchronous=False)
    consumer.close()


def kafka_python(broker, version):
    """Produces compressed and consumes without a group, as clients of brokers of `version` do."""
    base = {"bootstrap_servers": broker, "client_id": "shop-python", "api_version": version}
    topic = "python-%d-%d" % version
    producer = kafka.KafkaProducer(**base, compression_type="gzip")
    sent = producer.send(topic, b"text" * 1000, partition=2).get(30)
    assert (sent.topic, sent.partition, sent.offset) == (topic, 2, 0), sent
    producer.close()
    consumer = kafka.KafkaConsumer(**base, auto_offset_reset="earliest", consumer_timeout_ms=30_000)
    consumer.assign([kafka.TopicPartition(topic, 2)])
    assert next(consumer).value == b"text" * 1000
    consumer.close()


NAMES = {
    0: "Produce",
    1: "Fetch",
    2: "ListOffsets",
    3: "Metadata",
    8: "OffsetCommit",
    9: "OffsetFetch",
    10: "FindCoordinator",
    11: "JoinGroup",
    12: "Heartbeat",
    13: "LeaveGroup",
    14: "SyncGroup",
    18: "ApiVersions",
    22: "InitProducerId",
    24: "AddPartitionsToTxn",
    26: "EndTxn",
    71: "GetTelemetrySubscriptions",
}


def main():
    address, port = sys.argv[1].split(":")
    with open(sys.argv[2], encoding="ascii") as file:
        own_port = int(file.read())
    relay = Relay(("127.0.0.1", own_port), (address, int(port)))
    broker = f"127.0.0.1:{own_port}"
    librdkafka(broker, int(sys.argv[3]))
    for version in ((2, 3),):
        kafka_python(broker, version)
    for connection in relay.connections:
        connection.join()
        for key, *rest in connection.requests():
            print(json.dumps([connection.port, NAMES[key], *rest]))


main()
