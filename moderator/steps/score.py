"""Score: ask the classifier about seen comments, a batch at a time. Called by the schedule."""

from datetime import timedelta

from moderator import observe
from moderator.domain.lifecycle import Stage
from moderator.domain.score import Score
from moderator.domain.work import Work
from moderator.steps.drain import MAX_ATTEMPTS, Tools, wait
from moderator.steps.hold import hold

LEASE = timedelta(minutes=5)


def score(tools: Tools, *, limit: int = 200) -> int:
    """Score up to `limit` seen items; return how many were handled.

    1. Claim them.
    2. Score them together; when that fails, one by one, so that one text cannot stop the queue.
    3. Advance them in one transaction.
    """
    works = tools.store.claim(Stage.SCORE, limit=limit, now=tools.clock.now(), lease=LEASE)
    if not works:
        return 0
    try:
        scores = list(zip(works, _ask(tools, works), strict=True))
    except Exception:  # noqa: BLE001 - whatever one text does to a model must not stop the rest
        scores = [(work, found) for work in works if (found := _ask_alone(tools, work)) is not None]
    with tools.store.unit() as unit:
        unit.scored(scores, tools.clock.now())
    observe.happened("items_scored", count=len(scores))
    return len(works)


def _ask(tools: Tools, works: list[Work]) -> list[Score]:
    parents = [work.item.comment.thread[-1].text if work.item.comment.thread else "" for work in works]
    return tools.classifier.score([work.item.comment.text for work in works], parents=parents)


def _ask_alone(tools: Tools, work: Work) -> Score | None:
    try:
        return _ask(tools, [work])[0]
    except Exception as error:  # noqa: BLE001 - as above; the item is put back, then held for a person
        observe.went_wrong("score_failed", item=work.item.id, error=type(error).__name__)
    now = tools.clock.now()
    if work.attempts + 1 >= MAX_ATTEMPTS:
        hold(tools, work, "The classifier could not read this comment. Read it yourself, then decide.")
    else:
        with tools.store.unit() as unit:
            unit.put_back(work, due_at=now + wait(work.attempts), why="The classifier failed on this comment.")
    return None
