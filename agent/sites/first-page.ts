import type { SiteRecord } from "./record.ts";
import { defaultEntry } from "./unit.ts";

export interface FirstPage {
  name: string;
  text: string;
}

const HTML = `<!doctype html>
<html lang="id">
<meta charset="utf-8">
<title>Situs siap</title>
<h1>Situs ini siap</h1>
<p>Unggah berkas Anda untuk menggantikan halaman ini.</p>
</html>
`;

const NODE = `const { createServer } = require("node:http");

createServer((request, response) => {
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end("Situs ini siap\\n");
}).listen(process.env.PORT);
`;

const PYTHON = `import os
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingUnixStreamServer


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"Situs ini siap\\n")

    def log_message(self, *args):
        pass


ThreadingUnixStreamServer(os.environ["PORT"], Page).serve_forever()
`;

/** What an empty site answers with, so that it is seen to work before anything is uploaded. */
export function firstPage({ runtime, entry }: SiteRecord): FirstPage | null {
  switch (runtime) {
    case "static":
    case "php":
      return { name: "index.html", text: HTML };
    case "node":
      return entry === null ? { name: defaultEntry(runtime), text: NODE } : null;
    case "python":
      return entry === null ? { name: defaultEntry(runtime), text: PYTHON } : null;
    default:
      return runtime satisfies never;
  }
}
