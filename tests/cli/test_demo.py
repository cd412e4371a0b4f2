"""The demo and the service as a person starts them, each in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

KEYS = ["polled", "cleared", "flagged", "recorded", "hidden", "routed", "withheld", "held", "alerts", "digests", "violations", "seconds"]
HEAVY = ("sklearn", "sqlalchemy", "tweepy", "playwright", "fastapi", "numpy", "alembic", "apscheduler", "jinja2", "pydantic")
ROOM = 350 * 1024**2


def moderator(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "moderator", *words], cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def test_the_demo_does_the_whole_job_and_resumes(tmp_path: Path) -> None:
    first = moderator("demo", "--once", "--out", "out", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    out = tmp_path / "out"
    summary = json.loads((out / "summary.json").read_text())
    assert list(summary) == KEYS
    assert summary["polled"] == summary["cleared"] + summary["flagged"] + summary["withheld"] == 40
    assert summary["recorded"] == summary["flagged"] > summary["hidden"] > 0
    assert summary["routed"] >= 2
    assert (summary["held"], summary["violations"], summary["digests"]) == (0, 0, 1)
    for name in ("moderator.db", "vault", "ledger.jsonl", "outbox", "practice-log.jsonl"):
        assert (out / name).exists(), name
    again = moderator("demo", "--once", "--out", "out", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    repeated = json.loads((out / "summary.json").read_text())
    assert {key: repeated[key] for key in KEYS[:-1]} == {key: summary[key] for key in KEYS[:-1]}
    assert moderator("verify", "out/vault", cwd=tmp_path).returncode == 0
    kinds = [json.loads(path.read_bytes())["capture_kind"] for path in out.glob("vault/*/*/*/data/record.json")]
    assert kinds.count("live_page") == len(kinds)


def test_the_service_runs_until_a_signal_in_little_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "moderator", "run", "--demo", "--out", "run"]
    options = {"cwd": tmp_path, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
    with subprocess.Popen(command, **options) as process:  # type: ignore[call-overload] # the options above
        assert process.stdout is not None
        told = []
        for line in process.stdout:
            told.append(line)
            if line.startswith("Stop with"):
                break
        link = re.search(r"http://127\.0\.0\.1:\d+/\S+", "".join(told[-3:]))
        assert link, "".join(told)
        root = link.group().split("/", 3)
        address = "/".join(root[:3])
        for _ in range(100):
            try:
                with urllib.request.urlopen(link.group(), timeout=10) as page:
                    assert page.status == 200
                break
            except urllib.error.URLError:
                signal.sigtimedwait([], 0.1)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/items/1", timeout=10)
        refused.value.close()
        assert refused.value.code in {401, 403}
        used = psutil.Process(process.pid).memory_info().rss
        second = moderator("run", "--demo", "--out", "run", cwd=tmp_path)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the browser and its driver get it too
        last_words = process.stdout.read()
        assert process.wait(timeout=60) == 0
    assert last_words == ""
    assert used < ROOM, f"{used // 1024**2} MiB"
    assert second.returncode == 2, second.stdout
    assert os.path.exists(tmp_path / "run" / "moderator.db")  # noqa: PTH110 - plain existence


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from moderator.cli import app; print([name for name in %r if name in sys.modules])" % (HEAVY,)  # noqa: UP031 - a tuple's repr
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
