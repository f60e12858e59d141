"""A small web site on loopback for the browser's tests."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGES: dict[str, str] = {
    "/form": """<!doctype html><title>Ticket</title><h1>New ticket</h1>
      <form action="/save" method="post" aria-label="Ticket">
        <p><label>Serial number <input name="serial" required></label></p>
        <p><label for="p">Priority</label>
           <select id="p" name="priority"><option>Low<option>High<option disabled>Never</select></p>
        <p><input type="checkbox" id="n" name="notify"><label for="n">Notify the shift</label></p>
        <p>Due <input type="date" name="due"></p>
        <p><label>Notes <textarea name="notes"></textarea></label></p>
        <p><label>Token <input type="password" name="token" value="abc"></label></p>
        <button>Send ticket</button> <button type="button" disabled>Delete</button>
      </form>""",
    "/hidden": """<!doctype html><p id="far" hidden>Far away <b>label</b></p>
      <p><span style="visibility:hidden">Wrong</span><input></p>
      <p><input aria-labelledby="far"></p>
      <button>Save<span style="display:none"> secretly</span></button>""",
    "/shadow": """<!doctype html><h1>Parts</h1><x-box></x-box><iframe title="inner" src="/inner"></iframe>
      <script>
      customElements.define("x-box", class extends HTMLElement { connectedCallback() {
        this.attachShadow({mode: "open"}).innerHTML =
          `<label>Inside <input></label>
           <button onclick="this.textContent='Pressed'">Shadow button</button>`; } });
      </script>""",
    "/inner": """<!doctype html><body style="margin:20px"><button onclick="this.textContent='Hit'">
      Frame button</button><p>Text in the frame</p>""",
    "/covered": """<!doctype html><button id="b" onclick="document.title='clicked'">Under</button>
      <button onclick="document.getElementById('lid').style.display='block'">Cover</button>
      <div id="lid" style="display:none;position:fixed;inset:0 0 auto;height:40px;background:#888">A lid
      </div>""",
    "/swap": """<!doctype html><button id="a">First</button>
      <button onclick="document.getElementById('a').remove()">Remove</button>
      <button onclick="document.getElementById('a').textContent='Second'">Rename</button>""",
    "/away": """<!doctype html><button id="a">Target</button>
      <button onclick="document.getElementById('a').style='position:absolute;left:-900px'">Hide</button>
      <div style="height:3000px"></div><button>Bottom</button>""",
    "/dialog": """<!doctype html>
      <button onclick="this.textContent = confirm('Really?') ? 'yes' : 'no'">Ask</button>
      <button onclick="console.error('it broke')">Log</button>
      <button onclick="fetch('/fail', {method: 'POST'})">Fail</button>
      <button onclick="location = '/missing'">Go</button>""",
    "/tabs": """<!doctype html><title>One</title><a href="/two" target="_blank">Open two</a>""",
    "/hasty": """<!doctype html><a href="/hasty" target="_blank">Again</a>
      <button onmousedown="window.close()">Close</button>""",
    "/two": """<!doctype html><title>Two</title><h1>Second tab</h1>
      <button onclick="window.close()">Close</button>""",
    "/files": """<!doctype html><label>Photo <input type="file" id="f"></label>
      <button onclick="document.getElementById('f').click()">Choose a photo</button>
      <a href="/report.csv" download>Get the report</a><p id="shown"></p>""",
    "/busy": """<!doctype html><title>Busy</title><p id="c">0</p><button>Still here</button>
      <script>setInterval(() => { document.getElementById('c').textContent = Math.random(); }, 10);
      fetch('/slow');</script>""",
    "/mouse": """<!doctype html><title>Mouse</title>
      <style>#m:hover + p { display: block } p#h { display: none } li { width: 120px; padding: 8px }</style>
      <button oncontextmenu="this.textContent='Right'; event.preventDefault()"
              ondblclick="this.textContent='Twice'">Pad</button>
      <button id="m">Menu</button><p id="h">Hidden hint</p>
      <ul><li draggable="true" role="listitem" aria-label="Apple" id="a" tabindex="0"
              ondragstart="event.dataTransfer.setData('text', 'apple')">Apple</li></ul>
      <div role="button" aria-label="Basket" id="b" style="width:200px;height:60px;background:#ddd"
           ondragover="event.preventDefault()"
           ondrop="event.preventDefault(); document.title = event.dataTransfer.getData('text')">Basket</div>
      <input type="range" aria-label="Volume" min="0" max="10" value="5">
      <div role="switch" aria-checked="false" tabindex="0" aria-label="Night"
           onclick="this.setAttribute('aria-checked', this.getAttribute('aria-checked') !== 'true')">N</div>
      <label><input type="checkbox"> Terms</label>
      <label>Code <input value="old"></label>
      <div style="height:80px;width:200px;overflow:auto" aria-label="Log"><button>First line</button>
      <div style="height:400px;width:900px"></div><button>Last line</button></div>
      <button onclick="document.title = prompt('Name?', 'nobody')">Prompt</button>
      <button onclick="setTimeout(() => { late.textContent = 'Came late'; }, 300)">Later</button>
      <span id="late"></span>""",
    "/loop": """<!doctype html><button onclick="for (;;) alert('again')">Loop</button><p>Still here</p>""",
    "/city": """<!doctype html><label>City <input id="c" oninput="suggest(this.value)"></label>
      <ul role="listbox" id="l" hidden style="width:200px"></ul>
      <script>
      function suggest(typed) {
        l.hidden = false;
        const cities = ["Bern", "Berlin", "Bergen"].filter((one) => one.startsWith(typed));
        l.replaceChildren(...cities.map((one) => {
          const option = document.createElement("li");
          option.setAttribute("role", "option"); option.textContent = one;
          option.onclick = () => { c.value = one; l.hidden = true; };
          return option; }));
      }
      </script>""",
    "/echo": """<!doctype html><body style="margin:8px;font:16px sans-serif">
      <form method="get" action="/echo"><input name="q" aria-label="Name" style="width:300px">
      <button>Show</button></form><p id="t"></p><p id="s"></p>
      <iframe id="f" title="copy" height="60"></iframe>
      <script>
      const said = new URLSearchParams(location.search).get("q");
      if (said) {
        t.textContent = "You typed " + said + " here";
        s.innerHTML = [...said].map((one) => "<b>" + one + "</b>").join("");
        f.srcdoc = "<p>" + said.replace("&", "&amp;") + "</p>";
      }
      </script>""",
    "/icons": """<!doctype html><style>
      .bar, li, .post .trash:hover { cursor:pointer }
      .fa, .trash { display:inline-block; width:20px; height:20px }
      .trash, .fa { background-image:url(data:image/gif;base64,R0lGODlhAQABAAAAACw=) }
      .red { background:#e00; width:30px; height:30px } .nav { display:block; width:30px; height:20px }
      </style><div class="bar" style="width:200px"><span>Reply</span> <span>Forward</span></div>
      <div class="post"><span class="trash"></span></div><button><i class="fa fa-cog"></i></button>
      <div class="red"></div><div tabindex="0">Sizes<ul><li>Small</li><li>Large</li></ul></div>
      <a title="Prev" class="nav"></a>
      <svg width="100" height="100"><circle cx="50" cy="50" r="20" fill="blue"/></svg>
      <input type="date" aria-label="Day">""",
    "/drawn": """<!doctype html><style>li{cursor:pointer}</style>
      <div role="combobox" tabindex="0" aria-label="Colour" onclick="l.hidden=false">choose</div>
      <ul role="listbox" id="l" hidden><li role="option" onclick="document.title='red'">Red</li>
      <li role="option" onclick="document.title='blue'">Blue</li></ul>
      <label style="position:relative">
      <input type="checkbox" style="position:absolute;opacity:0;width:1px;height:1px">
      <span>Styled box</span></label>""",
}


class Site:
    """Attributes: `url` of the site, `seen` (method, path and body of each request)."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []
        self.redirect = ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                site.seen.append(("GET", self.path, ""))
                if self.path == "/leave":
                    self.send_response(302)
                    self.send_header("Location", site.redirect)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                if self.path == "/slow":
                    time.sleep(4)
                if self.path == "/report.csv":
                    self._reply(200, "a,b\n1,2\n", "text/csv")
                    return
                page = PAGES.get(self.path.partition("?")[0])
                self._reply(200 if page else 404, page or "<h1>Not found</h1>")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                site.seen.append(("POST", self.path, body))
                self._reply(500 if self.path == "/fail" else 200, "<title>Saved</title><h1>Saved</h1>")

            def _reply(self, status: int, text: str, kind: str = "text/html; charset=utf-8") -> None:
                data = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def posts(self) -> list[tuple[str, str]]:
        return [(path, body) for method, path, body in self.seen if method == "POST"]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
