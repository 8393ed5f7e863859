"""A client of Eclipse Paho's that sends itself messages of each quality of service, one after the other.

    mqtt_client.py HOST PORT WEBSOCKET_PORT [LARGE_BYTES]

Connects with MQTT 3.1, 3.1.1 and 5, and with MQTT 5 within a WebSocket. Ends well when everything came back.
"""

import queue
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

SECONDS = 20
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Client:
    """A connection whose every step is waited for."""

    def __init__(self, name, protocol, host, port, transport="tcp"):
        self.is_v5 = protocol == mqtt.MQTTv5
        self.done = queue.Queue()
        self.messages = queue.Queue()
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=protocol, transport=transport
        )
        for step in ("connect", "subscribe", "unsubscribe", "publish", "disconnect"):
            setattr(self.client, "on_" + step, lambda *_, step=step: self.done.put(step))
        self.client.on_message = lambda _client, _data, message: self.messages.put(message)
        self.client.username_pw_set("ada", "enchantress")
        self.client.will_set(f"status/{name}", "gone")
        self.client.connect(host, port)
        self.client.loop_start()
        self.wait_for("connect")

    def wait_for(self, step):
        found = self.done.get(timeout=SECONDS)
        assert found == step, (found, step)

    def publish(self, topic, payload, **more):
        """Sends a message, and waits until it was delivered and has come back."""
        self.client.publish(topic, payload, **more)
        self.wait_for("publish")
        message = self.messages.get(timeout=SECONDS)
        assert message.payload == payload, message.payload

    def run(self, name, large):
        self.client.subscribe(f"{name}/#", qos=2)
        self.wait_for("subscribe")
        for qos in range(3):
            self.publish(f"{name}/{qos}", f"message {qos}".encode(), qos=qos)
        self.publish(f"{name}/large", b"x" * large, qos=1)
        self.publish(f"{name}/kept", b"kept", qos=1, retain=True)
        if self.is_v5:
            self.publish_v5(name)
        self.client.unsubscribe(f"{name}/#")
        self.wait_for("unsubscribe")
        self.client.disconnect()
        self.wait_for("disconnect")
        self.client.loop_stop()

    def publish_v5(self, name):
        asks = Properties(PacketTypes.PUBLISH)
        asks.ResponseTopic = f"{name}/replies"
        asks.CorrelationData = b"call-7"
        asks.ContentType = "text/plain"
        asks.UserProperty = [("traceparent", TRACE), ("X-Request-Id", "r-17")]
        self.publish(f"{name}/asks", b"what?", qos=1, properties=asks)
        alias = Properties(PacketTypes.PUBLISH)
        alias.TopicAlias = 1
        self.publish(f"{name}/alias", b"first", qos=1, properties=alias)
        self.publish("", b"second", qos=1, properties=alias)


def main():
    host, port, websocket_port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    large = int(sys.argv[4]) if len(sys.argv) > 4 else 300_000
    Client("v31", mqtt.MQTTv31, host, port).run("v31", large)
    Client("v311", mqtt.MQTTv311, host, port).run("v311", large)
    Client("v5", mqtt.MQTTv5, host, port).run("v5", large)
    # Longer messages in WebSockets get stuck between Paho and Mosquitto 2.0 when a socket's buffer is full.
    Client("ws", mqtt.MQTTv5, host, websocket_port, "websockets").run("ws", min(large, 20_000))


main()
