"""The browser: a page of a permitted server tries everything that a page can to reach another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from llava_agent.egress import AllowList
from llava_agent.errors import LlavaAgentError
from llava_agent.reach.attempt import Attempt
from llava_agent.reach.ground import Ground

PATH = "browser"
_BY = "the browser session: its gate and the proxy behind it"
#: How long the page's attempts may take to arrive, in seconds.
_ARRIVES_S = 0.15

#: What the page at the permitted server can do, by what it is called in the report.
WAYS = {
    "fetch": "fetch(far, {mode: 'no-cors'}).catch(() => 0)",
    "image": "new Image().src = far",
    "script": "put('script', {src: far})",
    "style sheet": "put('link', {rel: 'stylesheet', href: far})",
    "font": "new FontFace('far', `url(${far})`).load().catch(() => 0)",
    "frame": "put('iframe', {src: far})",
    "video": "put('video', {src: far, preload: 'auto'})",
    "beacon": "navigator.sendBeacon(far, 'x')",
    "event stream": "new EventSource(far)",
    "web socket": "new WebSocket(far.replace('http', 'ws'))",
    "prefetch": "put('link', {rel: 'prefetch', href: far})",
    "preconnect": "put('link', {rel: 'preconnect', href: far})",
    "worker": "new Worker(URL.createObjectURL(new Blob([`fetch('${far}', {mode: 'no-cors'})`])))",
    "form": "form()",
    "popup": "window.open(far)",
    "redirect": "fetch('/away', {mode: 'no-cors'}).catch(() => 0)",
    "link": "location.href = far",
    "WebRTC (UDP)": "rtc()",
}


def page(trap: str) -> str:
    """The page at the permitted server."""
    ways = ",\n".join(f"{name!r}: () => {{ {code} }}" for name, code in WAYS.items())
    return f"""<!doctype html><title>reach</title><body>page<script>
const far = {trap + "/"!r};
function put(tag, values) {{ document.body.append(Object.assign(document.createElement(tag), values)) }}
function form() {{
  put('form', {{method: 'post', action: far, target: '_blank', id: 'leaving'}});
  document.getElementById('leaving').submit();
}}
async function rtc() {{
  const urls = 'stun:' + far.slice(7, -1);
  const one = new RTCPeerConnection({{iceServers: [{{urls}}]}});
  one.createDataChannel('x');
  await one.setLocalDescription(await one.createOffer());
}}
const ways = {{{ways}}};
</script>"""


async def attempts(ground: Ground) -> AsyncIterator[Attempt]:
    """Everything above, and what an agent could be made to open. One browser for all."""
    from tools.browser import BrowserSession

    host, trap = ground.ends.host.url, ground.ends.trap.url
    session = BrowserSession(AllowList.of(host))
    try:
        await session.start()
    except LlavaAgentError as error:
        yield Attempt(PATH, "to start it", "not_run", error.what)
        return
    try:
        yield await ground.permitted_too(PATH, "a page of a listed server", lambda: session.open(host), _BY)
        yield await ground.forbidden_too(PATH, "an address that an agent opens", lambda: session.open(trap))
        for name in WAYS:

            async def way(name: str = name) -> None:
                await session.page.evaluate("name => { ways[name]() }", name)
                await asyncio.sleep(_ARRIVES_S)

            yield await ground.forbidden_too(PATH, f"{name} of a page", way, _BY)
    finally:
        await session.close()
