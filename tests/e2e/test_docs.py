"""The documentation: every SQL example is planned, and the pages made from the program are up to date."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "packaging" / "docs"
# Verbs with actions.
GROUPS = ("pipelines", "outbox", "streams", "store", "token", "table", "dead-letters", "config")
TABLES = re.search(r"```sql tables\n(.*?)```", (DOCS / "sql.md").read_text(), re.S).group(1)


def examples(page: pathlib.Path):
    """The texts of a page, each with those before it in whose continuation it is."""
    blocks = re.findall(r"```sql( continued)?\n(.*?)```", page.read_text(), re.S)
    text = ""
    for number, (continued, block) in enumerate(blocks, 1):
        text = text + block if continued else block
        yield pytest.param(text, id=f"{page.stem}-{number}")


EXAMPLES = [example for page in sorted(DOCS.glob("*.md")) for example in examples(page)]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_documentation_is_planned(run_leat, example):
    answer = run_leat("explain", "-e", TABLES + example)
    assert answer.returncode == 0, answer.stderr


def test_the_pages_made_from_the_program_are_up_to_date(leat):
    answer = subprocess.run([DOCS / "generate", "--check", leat], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def words_of_commands() -> list:
    """Each `leat VERB …` of a shell block or in backticks, as (page, its first words)."""
    found = []
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text()
        lines = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.S)).splitlines()
        for line in lines + re.findall(r"`([^`\n]+)`", text):
            for command in re.findall(r"(?:^|&& |\(|-c ')leat ([a-z][a-z-]*(?: .*)?)", line.split("#")[0]):
                found.append(pytest.param(command.split(), id=f"{page.stem}: leat {command.strip()}"))
    return found


@pytest.mark.parametrize("words", words_of_commands())
def test_a_command_of_the_documentation_is_there_with_its_options(run_leat, words):
    verbs = words[:2] if words[0] in GROUPS else words[:1]
    answer = run_leat(*verbs, "--help")
    assert answer.returncode == 0, answer.stderr
    for option in [word.split("=")[0].rstrip(",") for word in words if word.startswith("--")]:
        assert re.search(rf"(^|[\s,]){re.escape(option)}\b", answer.stdout), f"{option} is not an option of {verbs}"


def messages(call: str) -> set[str]:
    sources = [path for folder in ("daemon", "sources", "sinks") for path in (ROOT / folder).rglob("*.cc")]
    return {text for path in sources for text in re.findall(call + r'\(\s*"([^"]+)"', path.read_text())}


def test_the_messages_of_the_troubleshooting_page_are_the_programs():
    page = (DOCS / "troubleshooting.md").read_text()
    assert set(re.findall(r"^### `(.*)`$", page, re.M)) - messages(r"log::(?:warn|error)") == set()
    expected = messages(r"log::error") - {"a connection to the API failed", "an API handler failed"}
    assert [message for message in expected if f"`{message}`" not in page] == [], "errors that the page does not explain"


def test_links_between_the_pages_lead_somewhere():
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
