"""A real browser as a tool: a session that reaches listed hosts only, and its page as a surface."""

from tools.browser.find import find_browser
from tools.browser.page import ObservationMode, PageSurface
from tools.browser.session import BrowserSession

__all__ = ["BrowserSession", "ObservationMode", "PageSurface", "find_browser"]
