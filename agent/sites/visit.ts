import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import type { Settings } from "../settings.ts";

export interface Answer {
  status: number;
  location: string | null;
  /** The first bytes of the body, as text. */
  body: string;
}

const MOST_BYTES = 4_096;

/** A visitor's GET for a domain on this very server, whatever DNS says. Rejects when nobody answers. */
export async function visit(
  { nginx }: Pick<Settings, "nginx">,
  ask: { domain: string; path: string; tls?: boolean; timeoutMs: number },
): Promise<Answer> {
  const { domain, path, tls = false, timeoutMs } = ask;
  const host = nginx.listen === "0.0.0.0" ? "127.0.0.1" : nginx.listen;
  const options = {
    ...{ host, path, agent: false as const },
    port: tls ? nginx.httpsPort : nginx.httpPort,
    headers: { host: domain, "user-agent": "nusantarad", connection: "close" },
    signal: AbortSignal.timeout(timeoutMs),
    // The address is this machine's own; the certificate may be of a test authority.
    ...(tls && { servername: domain, rejectUnauthorized: false }),
  };
  return await new Promise((resolve, reject) => {
    const request = (tls ? tlsRequest : plainRequest)(options, (response) => {
      let body = Buffer.alloc(0);
      const end = () =>
        resolve({
          status: response.statusCode ?? 0,
          location: response.headers.location ?? null,
          body: body.subarray(0, MOST_BYTES).toString("utf8"),
        });
      response.on("data", (chunk: Buffer) => {
        body = Buffer.concat([body, chunk]);
        if (body.length < MOST_BYTES) return;
        end();
        request.destroy();
      });
      response.once("end", end);
      response.once("error", reject);
    });
    request.once("error", reject);
    request.end();
  });
}
