"""Pages with known defects, which `benchmarks.check_defects` and `benchmarks.check_claims` measure on.

Every page has a heading, rows, a line with a number, a picture, two buttons and a check box, in one of
several shapes and styles, and a spec that somebody would write who knows the page and not the defects. Its
twins carry one defect each, injected by a script that also says where the defect is. Half of the pages are
held out: the checks were improved on the others.
"""

from benchmarks.check_pages.content import HELD_OUT, KNOWN
from benchmarks.check_pages.defects import DEFECTS, html
from benchmarks.check_pages.expected import expectations
from benchmarks.check_pages.shapes import Page

__all__ = ["DEFECTS", "HELD_OUT", "KNOWN", "Page", "expectations", "html"]
