"""Publishes to a broker at QoS 0 to 2 and waits until the broker has acknowledged everything."""

import threading
import time

import paho.mqtt.client as mqtt
from processes import eventually


class Publisher:
    """One connection, kept up over restarts of the broker; messages keep their order."""

    def __init__(self, port: int):
        self.client = mqtt.Client(protocol=mqtt.MQTTv311)
        self.client.max_inflight_messages_set(500)
        self.client.max_queued_messages_set(0)
        self.client.reconnect_delay_set(min_delay=1, max_delay=1)
        self.lock = threading.Lock()
        self.sent = 0
        self.acknowledged = 0
        self.connections = 0  # More than one: what was not acknowledged was sent again, as messages of their own to the broker.
        self.client.on_publish = self._on_publish
        self.client.on_connect = self._on_connect
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _on_publish(self, _client, _userdata, _message_id) -> None:
        with self.lock:
            self.acknowledged += 1

    def _on_connect(self, *_) -> None:
        self.connections += 1

    def send(self, topic: str, payload: str | bytes, qos: int = 1, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=qos, retain=retain)
        self.sent += 1

    def send_paced(
        self, messages: list[tuple[str, str]], per_second: float, stop: threading.Event | None = None
    ) -> None:
        """At an even rate, until the end or until `stop`."""
        begin = time.monotonic()
        for number, (topic, payload) in enumerate(messages):
            if stop and stop.is_set():
                return
            ahead = begin + number / per_second - time.monotonic()
            if ahead > 0.001:
                time.sleep(ahead)
            self.send(topic, payload)

    def flush(self, seconds: float = 60) -> None:
        """Fails when no acknowledgement comes for so long."""
        while (before := self.acknowledged) < self.sent:
            eventually(
                lambda: self.acknowledged > before,  # noqa: B023
                f"the broker acknowledges every message, and stands at {before} of {self.sent}",
                seconds,
            )

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
