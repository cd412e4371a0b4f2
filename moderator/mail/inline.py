"""Put the style sheet on each element, because mail programs drop style sheets. The composer calls it on the HTML part."""

import css_inline

_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def inlined(html: str) -> str:
    """Return the page with its rules written on the elements; only `@media` rules (dark mode) stay in the head.

    Loads nothing, neither from disk nor from the network. Repeatable.
    """
    return _INLINER.inline(html)
