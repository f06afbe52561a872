"""Pages of HTML that stand alone: no other file, no network, light and dark."""

import base64
import html

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --mark: #e8a33d33; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 68rem;
  padding: 1rem; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
.verdict { font-size: 1.15rem; border-left: 4px solid #3b7dd8; padding-left: .8rem; }
.grid { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); }
figure { margin: 0; display: grid; gap: .5rem;
  grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); }
figcaption { grid-column: 1 / -1; font-size: .85rem; opacity: .8;
  overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; display: block; margin-bottom: .4rem; }
img.pixels { width: 100%; image-rendering: pixelated; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .6rem;
  text-align: left; white-space: nowrap; }
.differs { background: var(--mark); }
pre { overflow-x: auto; background: var(--line); padding: .6rem; border-radius: .3rem; }
@media (prefers-color-scheme: dark) { img.chart { background: #fff; } }
"""


def page(title: str, body: str) -> str:
    """Returns a whole page.

    Args:
        title: Plain text.
        body: HTML.
    """
    shown = html.escape(title)
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{shown}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{shown}</h1>{body}</body></html>\n"
    )


def image(content: bytes, kind: str, about: str, style: str = "") -> str:
    """Returns an image as HTML, its content within.

    Args:
        content: The file's content.
        kind: "png" or "gif".
        about: What it shows, for those who do not see it.
        style: Class: "pixels" for images whose pixels are to be seen, "chart".
    """
    data = base64.b64encode(content).decode("ascii")
    told = html.escape(about, quote=True)
    marked = f" class='{style}'" if style else ""
    return f'<img{marked} alt="{told}" src="data:image/{kind};base64,{data}">'
