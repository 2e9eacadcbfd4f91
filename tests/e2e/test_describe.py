"""`leat describe`: what is built in, from the tables that also check the options."""

import pytest


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
