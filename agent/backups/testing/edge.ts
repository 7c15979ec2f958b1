import { createHash } from "node:crypto";

type Init = {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array | ReadableStream<Uint8Array>;
};

interface StoredUpload {
  bytes: number;
  sha256: string;
  partBytes: number;
  parts: Map<number, Uint8Array>;
  manifest: Uint8Array | null;
  object: Uint8Array | null;
  verified: boolean;
}

const hash = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

/** The edge's side of the agent's calls, in memory: what is sent is there to be looked at, and to be spoilt. */
export class FakeEdge {
  readonly uploads = new Map<string, StoredUpload>();
  readonly calls: string[] = [];
  /** The panel's rows as the edge would render them, and what it was given back. */
  state = {
    schema: 1,
    counts: { sites: 1 },
    text: '{"schema":1,"tables":{"sites":[{"id":"site_1"}]}}',
  };
  readonly restored: string[] = [];
  /** Called before a call is answered; what it throws is a connection that broke. */
  onCall: (method: string, path: string) => Response | undefined | Promise<Response | undefined> =
    () => undefined;

  async fetch(path: string, init: Init = {}): Promise<Response> {
    const method = init.method ?? "GET";
    this.calls.push(`${method} ${path}`);
    const instead = await this.onCall(method, path);
    if (instead) return instead;
    const [, id = "", what = "", part] =
      /^\/v1\/agent\/backups\/([^/]+)\/([a-z]+)(?:\/(\d+))?/.exec(path) ?? [];
    const body = init.body instanceof Uint8Array ? Uint8Array.from(init.body) : new Uint8Array();
    return this.#answer({
      method,
      id,
      what,
      part: Number(part),
      body,
      headers: init.headers ?? {},
    });
  }

  #answer(call: {
    method: string;
    id: string;
    what: string;
    part: number;
    body: Uint8Array;
    headers: Record<string, string>;
  }): Response {
    const { id, what, body } = call;
    if (what === "state") return this.#state();
    if (what === "prove" || what === "restore") return this.#rows(what, body);
    if (what === "upload") return this.#begin(id, JSON.parse(new TextDecoder().decode(body)));
    const upload = this.uploads.get(id);
    if (!upload) return Response.json({ error: "backup not found" }, { status: 404 });
    switch (what) {
      case "parts":
        upload.parts.set(call.part, body);
        return Response.json({});
      case "manifest":
        if (call.method === "PUT") upload.manifest = body;
        return new Response(upload.manifest as Uint8Array<ArrayBuffer> | null);
      case "complete": {
        const ordered = [...upload.parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
        upload.object = Buffer.concat(ordered);
        return Response.json({});
      }
      case "verified":
        upload.verified = JSON.parse(new TextDecoder().decode(body)).sha256 === upload.sha256;
        return Response.json({});
      default:
        return this.#object(upload, call.headers.range ?? "");
    }
  }

  #begin(id: string, given: { bytes: number; sha256: string; partBytes: number }): Response {
    const fresh = { ...given, parts: new Map(), manifest: null, object: null, verified: false };
    const upload = this.uploads.get(id) ?? fresh;
    this.uploads.set(id, upload);
    const parts = [...upload.parts].map(([n, bytes]) => ({
      n,
      bytes: bytes.length,
      sha256: hash(bytes),
    }));
    return Response.json({
      state: upload.object ? "complete" : "receiving",
      partBytes: upload.partBytes,
      parts,
    });
  }

  #object({ object }: StoredUpload, range: string): Response {
    const [, from = "0", to = ""] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
    const bytes = Buffer.from(object ?? new Uint8Array()).subarray(Number(from), Number(to) + 1);
    return new Response(Uint8Array.from(bytes), { status: 206 });
  }

  #state(): Response {
    const { schema, counts, text } = this.state;
    const headers = {
      "x-backup-schema": String(schema),
      "x-backup-counts": JSON.stringify(counts),
      "x-backup-sha256": hash(text),
    };
    return new Response(text, { headers });
  }

  #rows(what: string, body: Uint8Array): Response {
    if (what === "restore") this.restored.push(new TextDecoder().decode(body));
    return Response.json({ counts: this.state.counts });
  }
}
