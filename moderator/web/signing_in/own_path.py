"""Where to go on to: only ever a path of our own, whatever an address asks for. Called wherever a page takes `next`."""

from urllib.parse import quote


def own_path(asked: str) -> str:
    """Return the path asked for, or `/` when it is anything but a path of this app: there is no open redirect.

    A path begins with one slash and holds no backslash, no control character and no blank: browsers read some of those as another site.
    """
    if not asked.startswith("/") or asked.startswith("//") or "\\" in asked or any(letter <= " " or letter == "\x7f" for letter in asked):
        return "/"
    return asked


def asking(page: str, path: str) -> str:
    """Return the address of a page of ours that goes on to a path afterwards."""
    return f"{page}?next={quote(own_path(path), safe='')}"
