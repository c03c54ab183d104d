"""A page of `samcli report`, taken apart as a browser would."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

VOID = ("meta", "line", "circle", "rect", "path", "br", "img")


@dataclass
class Element:
    """An element with its attributes and the text in and below it."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """The elements of a page in the order of their beginnings; it fails where tags do not match."""

    source: str
    elements: list[Element] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)
        self.feed(self.source)
        self.close()
        assert not self._open, [one.tag for one in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(self.elements[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for one in self._open:
            one.text += data

    def all(self, tag: str, **wanted: str) -> list[Element]:
        """The elements of a tag that have these attributes; `class` is written `kind`."""
        named = {{"kind": "class"}.get(key, key): value for key, value in wanted.items()}
        return [one for one in self.elements if one.tag == tag and named.items() <= one.attributes.items()]

    def data(self, key: str) -> Any:
        """The JSON of a script element."""
        (found,) = self.all("script", id=key)
        return json.loads(found.text)

    @property
    def words(self) -> str:
        """What a reader sees: the text of the body without its scripts, each space one."""
        text = "".join(one.text for one in self.elements if one.tag in ("header", "nav", "main"))
        return " ".join(text.split())
