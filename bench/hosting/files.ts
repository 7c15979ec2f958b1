import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";

interface FilesSide {
  port: number;
  /** Bytes of the objects and parts that were put, since the last call. */
  takeBytes(): number;
  stop(): Promise<void>;
}

interface Asked {
  method: string;
  object?: string;
}

/**
 * What workerd's R2 binding talks to: takes objects and parts, keeps none of them, and answers as R2 does. Outside of
 * workerd, so that what is stored does not count as the Worker's memory.
 */
export async function startFiles(): Promise<FilesSide> {
  let bytes = 0;
  const server = createServer(async (request, response) => {
    const { asked, size } = await take(request);
    bytes += size;
    if (asked.method === "delete") return void response.end();
    const body = JSON.stringify(answerTo(asked, size));
    response.setHeader("cf-r2-metadata-size", Buffer.byteLength(body));
    response.setHeader("content-type", "application/json");
    response.end(body);
  });
  // A connection that ends by itself would fail the request that is just being written to it.
  server.keepAliveTimeout = 600_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    takeBytes: () => {
      const taken = bytes;
      bytes = 0;
      return taken;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The request's head is JSON in front of the bytes, as long as a header says; a reading one has it in a header. */
async function take(request: IncomingMessage): Promise<{ asked: Asked; size: number }> {
  const length = Number(request.headers["cf-r2-metadata-size"] ?? 0);
  let head = Buffer.alloc(0);
  let total = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (head.length < length) head = Buffer.concat([head, chunk.subarray(0, length - head.length)]);
  }
  const text = length > 0 ? head.toString() : String(request.headers["cf-r2-request"]);
  return { asked: JSON.parse(text) as Asked, size: total - length };
}

function answerTo({ method, object = "" }: Asked, size: number): unknown {
  if (method === "createMultipartUpload") return { uploadId: randomUUID() };
  const etag = createHash("md5").update(randomUUID()).digest("hex");
  if (method === "uploadPart") return { etag };
  const named = { name: object, version: randomUUID(), size, etag, uploaded: Date.now() };
  return { ...named, httpFields: {}, customFields: [], checksums: {} };
}
