import { once } from "node:events";
import { get } from "node:https";
import type { AddressInfo } from "node:net";
import { createServer as createPlain, type Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { selfSigned } from "./test-certificate.ts";
import { signedHeaders, startTarget, startTestRelay } from "./testing.ts";

const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of undo.splice(0).reverse()) await stop();
});

async function both(...given: Parameters<typeof startTarget>) {
  const target = await startTarget(...given);
  undo.push(target.stop);
  return target;
}

async function relayTo(...given: Parameters<typeof startTestRelay>) {
  const relay = await startTestRelay(...given);
  undo.push(relay.stop);
  return relay;
}

/** A server of raw sockets. */
async function rawTarget(serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createPlain((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  undo.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("a call", () => {
  it("reaches the target byte for byte, with the headers that were signed and no others", async () => {
    const target = await both();
    const relay = await relayTo(target.origin);
    const headers: [string, string][] = [
      ["va", "0000001234567890"],
      ["content-type", "application/x-www-form-urlencoded"],
      ["host", "evil.example"],
      ["connection", "upgrade"],
      ["transfer-encoding", "chunked"],
      ["accept-encoding", "br"],
    ];
    const said = { target: `${target.origin}/site?action=SiteStop&x=%20`, headers, body: "id=7" };
    const sent = { ...signedHeaders(said), "x-forwarded-for": "203.0.113.9", cookie: "a=b" };
    await fetch(`${relay.url}/relay/v1`, { method: "POST", headers: sent, body: "id=7" });
    expect(target.got).toEqual([
      {
        method: "POST",
        url: "/site?action=SiteStop&x=%20",
        body: "id=7",
        headers: {
          host: `127.0.0.1:${target.port}`,
          va: "0000001234567890",
          "content-type": "application/x-www-form-urlencoded",
          "accept-encoding": "identity",
          "content-length": "4",
          connection: "close",
        },
      },
    ]);
  });

  it("brings back status, headers and body, and nothing that the relay could have said", async () => {
    const target = await both((_request, response) => {
      response.writeHead(
        418,
        [
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
          ["relay-error", "busy"],
          ["relay-status", "200"],
          ["x-hop", "1"],
          ["connection", "close, x-hop"],
          ["content-type", "text/plain"],
        ].flat(),
      );
      response.end("teh");
    });
    const relay = await relayTo(target.origin);
    const answer = await relay.ask({ target: `${target.origin}/`, method: "GET" });
    expect([answer.status, await answer.text()]).toEqual([418, "teh"]);
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(answer.headers.get("relay-status")).toBe("418");
    expect(answer.headers.has("relay-error")).toBe(false);
    expect(answer.headers.has("x-hop")).toBe(false);
  });

  it("follows no redirect", async () => {
    const other = await both();
    const target = await both((_request, response) =>
      response.writeHead(307, { location: other.origin }).end(),
    );
    const relay = await relayTo(`${target.origin} ${other.origin}`);
    const answer = await relay.ask({ target: `${target.origin}/` });
    expect([answer.status, answer.headers.get("relay-status")]).toEqual([307, "307"]);
    expect(other.got).toEqual([]);
  });

  it("streams the answer while it still comes", async () => {
    let finish: () => void = () => undefined;
    const target = await both((_request, response) => {
      response.write("first");
      finish = () => response.end("last");
    });
    const relay = await relayTo(target.origin);
    const answer = await relay.ask({ target: `${target.origin}/` });
    const reader = answer.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("first");
    finish();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("last");
  });

  it("cuts off an answer over the limit", async () => {
    const target = await both((_request, response) => response.end("x".repeat(300_000)));
    const relay = await relayTo(target.origin, { maxAnswerBytes: 200_000 });
    const answer = await relay.ask({ target: `${target.origin}/` });
    await expect(answer.text()).rejects.toThrow();
  });

  it("takes a body of 8 MiB", async () => {
    const target = await both((_request, response) => response.end("ok"));
    const relay = await relayTo(target.origin);
    const body = "x".repeat(8 * 1_048_576);
    expect((await relay.ask({ target: `${target.origin}/`, body })).status).toBe(200);
    expect(target.got[0]?.body.length).toBe(body.length);
    expect(await relay.errorOf({ target: `${target.origin}/`, body: `${body}x` })).toBe(
      "too_large",
    );
  });
});

describe("a failure says whether the target was called", () => {
  it("unreachable: nobody listens there", async () => {
    const target = await startTarget();
    await target.stop();
    const relay = await relayTo(target.origin);
    expect(await relay.errorOf({ target: `${target.origin}/` })).toBe("unreachable");
  });

  it("broken: the connection is lost after the call was sent", async () => {
    const origin = await rawTarget((socket) => socket.once("data", () => socket.destroy()));
    const relay = await relayTo(origin);
    expect(await relay.errorOf({ target: `${origin}/` })).toBe("broken");
  });

  it("broken: the answer is no HTTP, or another protocol", async () => {
    for (const text of [
      "rubbish\r\n\r\n",
      "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    ]) {
      const origin = await rawTarget((socket) => socket.once("data", () => socket.end(text)));
      const relay = await relayTo(origin);
      expect(await relay.errorOf({ target: `${origin}/` })).toBe("broken");
    }
  });

  it("timeout: the target does not answer in time", async () => {
    const target = await both(() => undefined);
    const relay = await relayTo(target.origin);
    expect(await relay.errorOf({ target: `${target.origin}/`, timeout: 1_000 })).toBe("timeout");
    expect(target.got).toHaveLength(1);
  });

  it("busy: too many at once, and none once they are through", async () => {
    let finish: () => void = () => undefined;
    const target = await both((_request, response) => {
      finish = () => response.end("ok");
    });
    const relay = await relayTo(target.origin, { maxCalls: 1 });
    const first = relay.ask({ target: `${target.origin}/` });
    await vi.waitFor(() => expect(target.got).toHaveLength(1));
    expect(await relay.errorOf({ target: `${target.origin}/` })).toBe("busy");
    expect(target.got).toHaveLength(1);
    finish();
    await (await first).text();
    const again = relay.ask({ target: `${target.origin}/` });
    await vi.waitFor(() => expect(target.got).toHaveLength(2));
    finish();
    expect((await again).status).toBe(200);
  });

  it("ends the call when its asker is gone", async () => {
    const ended = Promise.withResolvers<void>();
    const target = await both((_request, response) => response.once("close", ended.resolve));
    const relay = await relayTo(target.origin);
    const quit = new AbortController();
    const asked = fetch(`${relay.url}/relay/v1`, {
      method: "POST",
      headers: signedHeaders({ target: `${target.origin}/`, timeout: 300_000 }),
      signal: quit.signal,
    });
    await vi.waitFor(() => expect(target.got).toHaveLength(1));
    quit.abort();
    await expect(asked).rejects.toThrow();
    await ended.promise;
  });
});

describe("a certificate", () => {
  it("that nobody vouches for is not believed, and nothing is sent", async () => {
    const target = await both(undefined, selfSigned());
    const relay = await relayTo(target.origin);
    expect(await relay.errorOf({ target: `${target.origin}/` })).toBe("unreachable");
    expect(target.got).toEqual([]);
  });

  it("that is pinned is believed", async () => {
    const certificate = selfSigned();
    const target = await both(undefined, certificate);
    const relay = await relayTo(`127.0.0.1:${target.port}=${certificate.fingerprint}`);
    const answer = await relay.ask({ target: `${target.origin}/`, body: "id=7" });
    expect([answer.status, target.got[0]?.body]).toEqual([200, "id=7"]);
  });

  it("other than the pinned one is not, and nothing is sent", async () => {
    const target = await both(undefined, selfSigned());
    const relay = await relayTo(`127.0.0.1:${target.port}=${selfSigned().fingerprint}`);
    expect(await relay.errorOf({ target: `${target.origin}/` })).toBe("unreachable");
    expect(target.got).toEqual([]);
    expect(relay.lines.at(-1)).toContain("another certificate");
  });

  it("is missing where the target speaks no TLS: unreachable", async () => {
    const target = await both();
    const relay = await relayTo(`127.0.0.1:${target.port}`);
    expect(await relay.errorOf({ target: `https://127.0.0.1:${target.port}/` })).toBe(
      "unreachable",
    );
    expect(target.got).toEqual([]);
  });
});

it("speaks TLS itself, with a certificate of its own", async () => {
  const { cert, key } = selfSigned();
  const relay = await relayTo("listed.example", { tls: { cert, key } });
  const { port } = new URL(relay.url);
  const status = await new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path: "/healthz", ca: cert, agent: false };
    get(options, (answer) => resolve(answer.resume().statusCode)).once("error", reject);
  });
  expect(status).toBe(200);
  await expect(fetch(`${relay.url}/healthz`)).rejects.toThrow();
});

it("writes down where to and how it went, and no secret", async () => {
  const target = await both();
  const relay = await relayTo(target.origin);
  const headers: [string, string][] = [["authorization", "Bearer rahasia-1"]];
  const address = `${target.origin}/site?request_token=rahasia-2`;
  await (await relay.ask({ target: address, headers, body: "password=rahasia-3" })).text();
  await vi.waitFor(() => expect(relay.lines).toHaveLength(1));
  const [line = ""] = relay.lines;
  expect(line).not.toContain("rahasia");
  expect(JSON.parse(line)).toMatchObject({
    method: "POST",
    to: `${target.origin}/site`,
    status: 200,
  });
});
