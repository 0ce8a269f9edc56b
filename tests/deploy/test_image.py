"""What the Dockerfile promises. scripts/image_check.sh carries it out; it takes too long for each run."""

import re

from tests.deploy.linters import check
from tests.support.run_folder import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def instructions() -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def last(word: str) -> str:
    return [rest for each, rest in instructions() if each == word][-1]


def test_hadolint_finds_nothing_in_the_dockerfile():
    check("hadolint", "Dockerfile")


def test_the_image_runs_as_somebody_who_owns_nothing_but_the_data():
    assert last("USER") == "10001:10001"
    words = [word for word, _ in instructions()]
    after = words[len(words) - words[::-1].index("USER") :]
    assert not {"RUN", "COPY", "ADD"} & set(after)
    assert "ADD" not in words


def test_the_base_of_the_image_can_be_pinned():
    assert instructions()[0][0] == "ARG"
    assert {rest.split(" AS ")[0] for word, rest in instructions() if word == "FROM"} == {
        "${BASE}",
        "python",
    }


def test_a_stop_reaches_python_itself():
    assert last("CMD") == '["python", "-m", "chatapp"]'
    assert last("STOPSIGNAL") == "SIGTERM"
    assert not any(word == "ENTRYPOINT" for word, _ in instructions())


def test_the_image_says_how_it_is():
    assert last("HEALTHCHECK").endswith('CMD ["python", "/app/ask.py", "/up"]')


def test_packages_are_those_of_the_lock_file():
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip" in rest]
    assert any("--require-hashes --only-binary :all:" in install for install in installs)


def test_the_image_holds_the_code_and_its_migrations():
    copied = {rest.split()[0] for word, rest in instructions() if word == "COPY"}
    assert {"chatapp", "migrations", "deploy/ask.py"} <= copied
