"""A hook of the site's build: formulas become MathML, which browsers show."""

import html
import re

from latex2mathml import converter

_FORMULA = re.compile(
    r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL
)


def on_page_content(content: str, **_: object) -> str:
    """Returns a page's HTML with its formulas replaced; called by MkDocs."""
    return _FORMULA.sub(_converted, content)


def _converted(match: re.Match) -> str:
    display = "inline" if match[2] == "(" else "block"
    formula = re.sub(r"\\([,;!>])", r"\\ ", html.unescape(match[3])).strip()
    return converter.convert(formula, display=display)
