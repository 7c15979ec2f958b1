import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  raw: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape it reads
  body: any;
}

export interface Receiver {
  url: string;
  got: Received[];
  /** Resolves once `count` requests in all have come that `fits`. */
  until(count: number, fits?: (one: Received) => boolean): Promise<Received[]>;
  /** The answers to come, one each; when used up: 200. */
  answers: { status: number; location?: string }[];
  stop(): Promise<void>;
}

/** A merchant's end of notices: keeps what comes, answers what the test lays out. */
export async function startReceiver(): Promise<Receiver> {
  const got: Received[] = [];
  const answers: Receiver["answers"] = [];
  let wake: () => void = () => undefined;
  const server = createServer(async (request, response) => {
    let raw = "";
    for await (const chunk of request) raw += String(chunk);
    got.push({ path: request.url ?? "", headers: request.headers, raw, body: JSON.parse(raw) });
    const answer = answers.shift() ?? { status: 200 };
    response.writeHead(answer.status, answer.location ? { location: answer.location } : {});
    response.end("{}");
    wake();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    got,
    answers,
    until: async (count, fits = () => true) => {
      for (;;) {
        const found = got.filter(fits);
        if (found.length >= count) return found;
        await new Promise<void>((resolve) => {
          const before = wake;
          wake = () => {
            before();
            resolve();
          };
        });
      }
    },
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
