"""The whole line with real parts on a rough day: odd texts, and a network that fails in every way it can."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moderator import build
from moderator.cli import line
from moderator.cli.rehearsal import prepare
from moderator.evidence.check.verify import verify
from moderator.platforms.practice.server import running

NAMED = "Tilly Marwood is a nasty thief and a stupid liar"
ODD = {
    "emoji": "😀" * 280 + " " + NAMED,
    "right to left": "شكرا للمعلمين " + NAMED,
    "joined": "👩\u200d👩\u200d👧\u200d👦 \u200b\u200d" + NAMED,
    "html": f"<script>document.body.innerHTML=''</script><img src=x onerror=alert(1)> <b>{NAMED}</b> &amp; & 1 < 2",
    "long": NAMED + ". " + " ".join(f"Row {row} of the car park had {row % 7} cars in it." for row in range(600)) + f" {NAMED}.",
    "lines": f"First.\n\n{NAMED}\n\tLast.",
}


@contextmanager
def rehearsal(tmp_path: Path, texts: list[str]) -> Iterator[tuple[build.Context, str]]:
    """Yield a context on a practice network with these comments, and the network's address."""
    path = tmp_path / "comments.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    with running(comments=path, log=tmp_path / "practice.jsonl") as network:
        context = build.build(prepare(tmp_path / "out", practice_url=network.url).settings)
        try:
            yield context, network.url
        finally:
            context.close()


def fault(url: str, **what: object) -> None:
    body = json.dumps(what).encode()
    request = urllib.request.Request(f"{url}/practice/fault", data=body, headers={"Content-Type": "application/json"}, method="POST")
    urllib.request.urlopen(request, timeout=10).close()


def test_odd_texts_are_recorded_as_they_are_and_hidden(tmp_path: Path) -> None:
    with rehearsal(tmp_path, list(ODD.values())) as (context, _):
        line.run_line(context, print)
        counts = line.summary(context, 0)
    assert (counts["polled"], counts["flagged"], counts["recorded"]) == (6, 6, 6)
    assert (counts["held"], counts["violations"]) == (0, 0)
    bags = [json.loads(path.read_bytes()) for path in (tmp_path / "out").glob("vault/*/*/*/data/record.json")]
    assert sorted(bag["text"] for bag in bags) == sorted(ODD.values())
    assert len(max(bag["text"] for bag in bags if bag["text"].count(NAMED) > 1)) > 24_000
    assert verify(tmp_path / "out" / "vault").ok


def test_a_network_that_fails_in_every_way_loses_nothing_and_hides_nothing_unsealed(tmp_path: Path) -> None:
    texts = [NAMED + f" ({number})" if number % 3 == 0 else f"A lovely day ({number})" for number in range(12)]
    with rehearsal(tmp_path, texts) as (context, url):
        for status in (500, 503, 401):
            fault(url, path="/2/tweets/search/recent", behaviour="status", status=status, times=1)
        fault(url, path="/2/users/*/mentions", behaviour="half", times=1)
        fault(url, path="/2/tweets/*/hidden", behaviour="status", status=500, times=2)
        fault(url, path="/2/tweets/*/hidden", behaviour="late", times=1)
        fault(url, path="/2/tweets/*/hidden", behaviour="garbled", times=1)
        for _ in range(4):
            line.run_line(context, print)
        counts = line.summary(context, 0)
    assert (counts["polled"], counts["flagged"], counts["recorded"]) == (12, 4, 4)
    assert (counts["held"], counts["violations"]) == (0, 0)
    requests = [json.loads(each) for each in (tmp_path / "practice.jsonl").read_text().splitlines()]
    sealed = {
        bag["comment_id"]: bag["sealed_utc"]
        for bag in (json.loads(path.read_bytes()) for path in (tmp_path / "out").glob("vault/*/*/*/data/record.json"))
    }
    hides = [(each["path"].split("/")[3], each["time"]) for each in requests if each["method"] == "PUT"]
    assert len(hides) >= 6
    assert all(moment > sealed[number] for number, moment in hides)
