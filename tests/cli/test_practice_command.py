"""`moderator practice` as a person starts it."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from moderator.platforms.practice.server import listen

START = [sys.executable, "-c", "from moderator.cli import main; main()", "practice"]


def begin(*options: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen([*START, "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert found, line
    return process, found[0]


def end(process: subprocess.Popen[str], number: int) -> tuple[int, str]:
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    return process.returncode, errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_asked_to_end(number: int) -> None:
    process, url = begin()
    assert "Oakfield Primary School" in requests.get(url, timeout=10).text
    assert end(process, number) == (0, "")


def test_it_loads_keeps_and_logs(tmp_path: Path) -> None:
    comments, state, log = tmp_path / "c.csv", tmp_path / "state.db", tmp_path / "log.jsonl"
    comments.write_text("id,text\n1,A kind word about the garden\n", encoding="utf-8")
    options = ("--comments", str(comments), "--state", str(state), "--log", str(log))
    for _ in range(2):
        process, url = begin(*options)
        assert "1 comments on the network" in requests.get(url, timeout=10).text
        assert end(process, signal.SIGTERM)[0] == 0
    assert [json.loads(line)["path"] for line in log.read_text(encoding="utf-8").splitlines()] == ["/", "/"]


def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as listening:
        taken = str(listening.getsockname()[1])
        for options in (["--port", taken], ["--port", "0", "--comments", str(tmp_path / "none.txt")], ["--port", "99999"]):
            done = subprocess.run([*START, *options], capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 2, done
            assert done.stderr.count("\n") == 1
            assert done.stdout == ""
