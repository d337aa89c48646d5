"""Pages of HTML as a test reads them."""

import json
from html.parser import HTMLParser


class Page(HTMLParser):
    """The elements of a page with their attributes, and the texts of those asked for."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.rows = [], {}, []
        self._open = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"} and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data):
        tag = self._open[-1] if self._open else ""
        self.texts.setdefault(tag, []).append(data)
        if self.rows and tag in {"td", "th"}:
            self.rows[-1][-1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def scripts(self):
        return [text for text in self.texts["script"] if not text.startswith('{"')]

    @property
    def data(self):
        (found,) = [text for text in self.texts["script"] if text.startswith('{"')]
        return json.loads(found)

    @property
    def figures(self):
        return dict(zip(self.texts["dt"], self.texts["dd"], strict=True))
