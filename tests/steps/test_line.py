"""The line from poll to digest, on both engines."""

from stage import Stage, comment

LINE = ("poll", "score", "decide", "alert", "record", "hide", "send")


def test_comments_go_from_seen_to_their_end(any_stage: Stage) -> None:
    any_stage.platform.comments += [
        comment(10),
        comment(11, "You are an idiot"),
        comment(12, "I want to tell you: disclosure"),
        comment(13, "indecent_image here"),
        comment(14, "idiot mention", hideable=False),
    ]
    any_stage.run(*LINE)
    assert any_stage.states() == ["cleared", "hidden", "recorded", "withheld", "recorded"]
    assert any_stage.platform.hidden == {"11"}
