"""The documentation: every SQL example is planned, and the pages made from the program are up to date."""

import pathlib
import re
import subprocess

import pytest

DOCS = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "docs"
TABLES = re.search(r"```sql tables\n(.*?)```", (DOCS / "sql.md").read_text(), re.S).group(1)
EXAMPLES = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in sorted(DOCS.glob("*.md"))
    for number, block in enumerate(re.findall(r"```sql\n(.*?)```", page.read_text(), re.S), 1)
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_documentation_is_planned(run_leat, example):
    answer = run_leat("explain", "-e", TABLES + example)
    assert answer.returncode == 0, answer.stderr


def test_the_pages_made_from_the_program_are_up_to_date(leat):
    answer = subprocess.run([DOCS / "generate", "--check", leat], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def test_links_between_the_pages_lead_somewhere():
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
