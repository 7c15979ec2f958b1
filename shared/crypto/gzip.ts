import type { Bytes } from "./encoding.ts";

export const gzip = (bytes: Bytes): Promise<Bytes> => through(bytes, new CompressionStream("gzip"));

/** Of what we packed ourselves: it trusts the size. */
export const gunzip = (bytes: Bytes): Promise<Bytes> =>
  through(bytes, new DecompressionStream("gzip"));

async function through(
  bytes: Bytes,
  stream: CompressionStream | DecompressionStream,
): Promise<Bytes> {
  return new Uint8Array(
    await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer(),
  );
}
