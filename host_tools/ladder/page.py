"""A ladder as a page that opens from disk: the picture, to be read and printed as it is."""

from html import escape

from host_tools.ladder import svg
from host_tools.ladder.steps import Ladder

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ margin: 1.5rem auto; max-width: {width}px; background: Canvas; color-scheme: light dark }}
svg {{ max-width: 100%; height: auto }}
</style>
{picture}</html>
"""


def write(found: Ladder, title: str = "") -> str:
    """The HTML document of a ladder."""
    name = title or f"{found.us[0]} and {found.them[0]}"
    return _PAGE.format(title=escape(name), width=svg.WIDTH, picture=svg.draw(found, title))
