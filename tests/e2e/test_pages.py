"""What the program prints of itself for shells and for the manual."""

import re
import shutil
import subprocess

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_scripts_of_their_shell(run_leat, tmp_path, shell):
    script = run_leat("completions", shell).stdout
    assert "deploy" in script and "--accept-cold" in script.replace("-l ", "--")
    assert "man-page" not in script
    path = tmp_path / "script"
    path.write_text(script)
    if shutil.which(shell):
        subprocess.run([shell, "-n", path], check=True)


def complete(script: str, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    quoted = " ".join(f"'{word}'" for word in words)
    code = f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _leat; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    return subprocess.run(["bash", "-c", code], check=True, capture_output=True, text=True).stdout.split()


def test_bash_completes_verbs_actions_options_and_files(run_leat, tmp_path):
    script = run_leat("completions", "bash").stdout
    assert complete(script, "leat", "pip") == ["pipelines"]
    assert {"list", "show", "deploy", "rename", "remove"} <= set(complete(script, "leat", "pipelines", ""))
    assert complete(script, "leat", "pipelines", "deploy", "--acc") == ["--accept-cold"]
    (tmp_path / "mill.sql").write_text("")
    assert complete(script, "leat", "run", f"{tmp_path}/mi") == [f"{tmp_path}/mill.sql"]


@pytest.mark.parametrize("page", ["leat.1", "leat.toml.5"])
def test_pages_of_the_manual_render_without_a_warning(run_leat, tmp_path, page):
    text = run_leat("man-page", page).stdout
    assert text.startswith(".TH LEAT")
    path = tmp_path / page
    path.write_text(text)
    if not shutil.which("man"):
        pytest.skip("man is not installed")
    environment = {"MANWIDTH": "100", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    command = ["man", "--warnings=w", "-l", path]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert shown.stderr == ""
    for word in ("leat pipelines deploy", "--accept-cold") if page == "leat.1" else ("pipelines_dir", "log.level"):
        assert word in shown.stdout


def test_the_configuration_of_the_packages_has_every_key_and_its_default(run_leat, tmp_path):
    text = run_leat("man-page", "leat.toml").stdout
    page = run_leat("man-page", "leat.toml.5").stdout.replace("\\-", "-")
    documented = {key.rsplit(".", 1)[-1] for key in re.findall(r"^\.TP\n\\fB([a-z_.]+)\\fR \(", page, re.M)}
    assert documented == set(re.findall(r"^#([a-z_]+) = ", text, re.M))
    assert all(line.startswith(("#", "[")) or not line for line in text.splitlines()), "it sets nothing"
    # With the lines whose defaults are told taken as settings, it is the same configuration.
    path = tmp_path / "leat.toml"
    path.write_text(re.sub(r"^#([a-z_]+ = (?!.*  # ))", r"\1", text, flags=re.M))
    assert 'listen = "127.0.0.1:8463"' in path.read_text().splitlines()
    answer = run_leat("check", path)
    assert answer.returncode == 0, answer.stderr + answer.stdout
