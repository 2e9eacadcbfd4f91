"""The pipelines that most tests run, as SQL text."""

from readings import COLUMNS, WINDOW_COLUMNS, WINDOW_QUERY


def with_options(options: dict[str, object]) -> str:
    return "WITH (" + ", ".join(f"'{key}' = '{value}'" for key, value in options.items()) + ")"


def mqtt_readings(url: str, columns: str = COLUMNS, **options: object) -> str:
    """The table `readings` over MQTT; options with '_' for '.' and '-' are given as a dict through `extra`."""
    extra = options.pop("extra", {})
    keys = {
        "connector": "mqtt",
        "url": url,
        "topic": "site/#",
        "qos": 1,
        "format": "json",
        "reconnect.min-delay": "100 ms",
        "reconnect.max-delay": "300 ms",
        **options,
        **extra,
    }
    return f"CREATE TABLE readings ({columns}) {with_options(keys)};\n"


def file_readings(path: object, format_name: str = "json", columns: str = COLUMNS) -> str:
    options = {"connector": "filesystem", "path": path, "format": format_name}
    return f"CREATE TABLE readings ({columns}) {with_options(options)};\n"


def http_windows(url: str, extra: dict[str, object] | None = None) -> str:
    keys = {
        "connector": "http",
        "url": f"{url}/windows",
        "format": "json",
        "body": "json-lines",
        "sink.retry.initial-backoff": "50 ms",
        "sink.retry.max-backoff": "200 ms",
        **(extra or {}),
    }
    return f"CREATE TABLE windows ({WINDOW_COLUMNS}) {with_options(keys)};\n"


def often(interval: str = "100 ms") -> str:
    """Commits more often than the default: tests wait less."""
    return f"SET 'execution.checkpointing.interval' = '{interval}';\n"


def windows_over_http(broker_url: str, receiver_url: str, **options: object) -> str:
    """MQTT in, one-second windows, HTTP out."""
    source = mqtt_readings(broker_url, **options)
    return often() + source + http_windows(receiver_url) + f"INSERT INTO windows {WINDOW_QUERY};\n"
