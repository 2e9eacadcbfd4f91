"""`leat describe`: what is built in, from the tables that also check the options."""

import json
import subprocess
import tomllib

import pytest
from jsonschema import Draft202012Validator
from pipeline_text import with_options


def test_every_connector_and_format_is_listed_and_described(run_leat):
    listed = run_leat("describe").stdout
    for name in ("mqtt", "filesystem", "datagen", "http", "kafka", "print", "blackhole", "json", "csv"):
        assert name in listed
        described = run_leat("describe", name)
        assert described.returncode == 0 and name in described.stdout


@pytest.mark.parametrize("option", ["'url'  string, required", "'session-expiry'  duration, default '7 d'"])
def test_options_show_type_and_default(run_leat, option):
    assert option in run_leat("describe", "mqtt").stdout


@pytest.mark.parametrize("name, form", [("cast", "CAST(value AS type)"), ("LAG", "LAG(value [, offset"),
                                        ("hop", "HOP(TABLE t, DESCRIPTOR(ts), slide, size"), ("SUBSTRING", "SUBSTRING(")])
def test_forms_of_the_language_and_functions_are_described(run_leat, name, form):
    answer = run_leat("describe", name)
    assert answer.returncode == 0 and form in answer.stdout


def test_an_unknown_name_offers_the_nearest_one(run_leat):
    answer = run_leat("describe", "kafak")
    assert answer.returncode == 2 and "did you mean 'kafka'?" in answer.stderr


@pytest.mark.parametrize("kind, name", [("connector", "mqtt"), ("format", "json"), ("function", "UPPER"), ("function", "LAG"), ("setting", "leat.memory.max")])
def test_a_kind_and_a_name_describe_that_thing(run_leat, kind, name):
    answer = run_leat("describe", kind, name)
    assert answer.returncode == 0 and answer.stdout == run_leat("describe", name).stdout


@pytest.mark.parametrize(
    "words, told",
    [
        (("connector", "json"), "there is no connector 'json'"),
        (("conector", "mqtt"), "there is no kind of thing called 'conector' (did you mean 'connectors'?)"),
        (("format", "jsn"), "did you mean 'json'?"),
    ],
)
def test_a_wrong_kind_or_name_is_told(run_leat, words, told):
    answer = run_leat("describe", *words)
    assert answer.returncode == 2 and told in answer.stderr, answer.stderr


@pytest.mark.parametrize("word, has", [("connectors", "mqtt"), ("formats", "avro"), ("forms", "MATCH_RECOGNIZE"), ("functions", "UPPER")])
def test_a_plural_lists_all_of_a_kind(run_leat, word, has):
    assert has in run_leat("describe", word).stdout


# ---- JSON Schema -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def schema(run_leat):
    """`schema("connector", "mqtt")`: a validator."""

    def load(*words: str) -> Draft202012Validator:
        done = run_leat("describe", *words, "--json-schema")
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        Draft202012Validator.check_schema(document)
        return Draft202012Validator(document)

    return load


MQTT = {"connector": "mqtt", "url": "mqtt://host", "topic": "a/#", "format": "json"}
KAFKA = {"connector": "kafka", "topic": "t", "properties.bootstrap.servers": "host:9092", "value.format": "json"}
KAFKA["scan.startup.mode"] = "earliest-offset"


def checked(run_leat, folder, options: dict[str, str]):
    """What `leat check` says of a table with the options, which is read, or written if it cannot be read."""
    table = f"CREATE TABLE t (a STRING, k STRING) {with_options(options)};\n"
    other = "CREATE TABLE o (a STRING, k STRING) WITH ('connector' = 'blackhole');\nINSERT INTO o SELECT a, k FROM t;"
    if options["connector"] == "blackhole":
        other = "INSERT INTO t VALUES ('a', 'k');"
    (folder / "p.sql").write_text(table + other)
    return run_leat("check", folder / "p.sql")


@pytest.mark.parametrize(
    "options",
    [
        MQTT,
        {**MQTT, "qos": "0", "json.ignore-parse-errors": "true", "journal": "power", "session-expiry": "1 d"},
        {**MQTT, "format": "csv", "csv.field-delimiter": ";"},
        {**KAFKA, "properties.client.rack": "a", "key.format": "raw", "key.raw.endianness": "little-endian", "key.fields": "k"},
        {"connector": "blackhole"},
    ],
)
def test_the_schema_takes_what_the_planner_takes(schema, run_leat, tmp_path, options):
    assert checked(run_leat, tmp_path, options).returncode == 0, checked(run_leat, tmp_path, options).stderr
    for validator in (schema(), schema("connector", options["connector"]), schema(options["connector"])):
        validator.validate(options)


@pytest.mark.parametrize(
    "options",
    [
        {**MQTT, "topics": "a/#"},
        {**MQTT, "journal": "off"},
        {**MQTT, "qos": "one"},
        {**MQTT, "csv.field-delimiter": ";"},
        {key: value for key, value in MQTT.items() if key != "url"},
        {**MQTT, "connector": "mqt"},
        {**MQTT, "format": "jsn"},
        {key: value for key, value in MQTT.items() if key != "format"},
        {**MQTT, "qos": "+1"},
        {**MQTT, "session-expiry": "soon"},
        {**MQTT, "max-packet-size": "much"},
        {**KAFKA, "value.csv.field-delimiter": ";"},
        {**KAFKA, "key.format": "raw", "key.fields": "k", "key.json.nonsense": "true"},
    ],
)
def test_the_schema_refuses_what_the_planner_refuses(schema, run_leat, tmp_path, options):
    assert not schema().is_valid(options)
    assert not schema(options["connector"] if options["connector"] != "mqt" else "mqtt").is_valid(options)
    assert checked(run_leat, tmp_path, options).returncode == 78


def test_every_connector_and_format_has_a_schema(schema, run_leat):
    definitions = schema().schema["$defs"]
    for kind in ("connector", "format"):
        for line in run_leat("describe", f"{kind}s").stdout.splitlines()[1:]:
            assert f"{kind}.{line.split()[0]}" in definitions
    for definition in definitions.values():
        for key, value in definition.get("properties", {}).items():
            assert "default" not in value or Draft202012Validator(value).is_valid(value["default"]), key
    assert schema("format", "csv").is_valid({"csv.field-delimiter": ";"})
    assert not schema("format", "csv").is_valid({"csv.field-delimitr": ";"})


def test_the_schema_of_the_configuration_takes_a_configuration(schema):
    validator = schema("configuration")
    text = 'data_dir = "/d"\n[api]\nlisten = "127.0.0.1:0"\nmax_tails = 3\nmax_body = 2097152\nmax_connections = "300"\nnames = ["a", "b"]\n[log]\nlevel = "debug"'
    validator.validate(tomllib.loads(text))
    assert not validator.is_valid(tomllib.loads("[api]\nlistn = '127.0.0.1:0'"))
    assert not validator.is_valid(tomllib.loads("[api]\nmax_tails = 'three'"))


@pytest.mark.parametrize("words", [("conector", "mqtt"), ("connector", "configuration"), ("formats",)])
def test_a_schema_of_a_wrong_kind_or_name_is_refused(run_leat, words):
    assert run_leat("describe", *words, "--json-schema").returncode == 2


def test_what_has_no_schema_is_told(run_leat):
    answer = run_leat("describe", "function", "LAG", "--json-schema")
    assert answer.returncode == 2 and "there is no connector or format" in answer.stderr


@pytest.mark.parametrize("words", [("connectors",), ("mqtt",), ("--json-schema",)])
def test_a_full_disk_is_told(leat, words):
    with open("/dev/full", "w") as full:
        done = subprocess.run([leat, "describe", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and done.stderr == "leat: writing to standard output: No space left on device\n"
