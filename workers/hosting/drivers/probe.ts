import { connect } from "cloudflare:sockets";
import type { HostResult, Visit } from "./driver.ts";
import { done } from "./results.ts";

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 64 * 1024;

/**
 * A visitor's GET for `domain` on one very server (`host[:port]`, plain HTTP), whatever DNS says. By hand over TCP, as
 * `fetch` sets the Host header from the address that it connects to.
 */
export async function probe(
  webAddress: string,
  domain: string,
  path: string,
): Promise<HostResult<Visit>> {
  const { hostname, port } = new URL(`http://${webAddress}`);
  const socket = connect({ hostname, port: Number(port || "80") });
  const unfinished = (detail: string): HostResult<Visit> => ({ state: "unknown", detail });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, TIMEOUT_MS, null);
    });
    const raw = await Promise.race([talk(socket, requestOf(domain, path)), late]);
    if (raw === null) return unfinished("the web server did not answer in time");
    const visit = parseAnswer(raw);
    return visit ? done(visit) : unfinished("the web server's answer is not HTTP");
  } catch {
    return unfinished("the web server cannot be reached");
  } finally {
    clearTimeout(timer);
    await socket.close().catch(() => undefined);
  }
}

// HTTP/1.0 keeps the answer in one piece: no chunks, and its end is the connection's.
const requestOf = (domain: string, path: string) =>
  [
    `GET /${path.split("/").map(encodeURIComponent).join("/")} HTTP/1.0`,
    `Host: ${domain}`,
    "User-Agent: lumbung/1",
    "Accept: */*",
    "Connection: close",
    "",
    "",
  ].join("\r\n");

async function talk(socket: Socket, request: string): Promise<string> {
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode(request));
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of socket.readable) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > MOST_BYTES) break;
  }
  return text;
}

/** RFC 9112: status line, fields, an empty line, the body. */
function parseAnswer(raw: string): Visit | null {
  const [head = "", ...rest] = raw.split("\r\n\r\n");
  const [first = "", ...fields] = head.split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1];
  if (status === undefined) return null;
  const location = fields.find((field) => /^location:/i.test(field));
  return {
    status: Number(status),
    location: location?.slice("location:".length).trim() ?? null,
    body: rest.join("\r\n\r\n"),
  };
}
