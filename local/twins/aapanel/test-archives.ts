import { gzipSync } from "node:zlib";
import { type Packed, zipOf } from "./archive.ts";

export const bytes = (text: string) => new Uint8Array(Buffer.from(text));

/** A zip of these texts. */
export function zip(files: Record<string, string>): Uint8Array<ArrayBuffer> {
  const packed: Packed[] = Object.entries(files).map(([name, text]) => ({
    name,
    data: Buffer.from(text),
  }));
  return new Uint8Array(zipOf(packed));
}

/** The zip with the mode of all its entries changed: `0o120777` makes links of them. */
export function withMode(packed: Uint8Array<ArrayBuffer>, mode: number): Uint8Array<ArrayBuffer> {
  return eachEntry(packed, (entry) => entry.writeUInt32LE((mode << 16) >>> 0, 38));
}

/** The zip with its entries marked as encrypted. */
export function encrypted(packed: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return eachEntry(packed, (entry) => entry.writeUInt16LE(entry.readUInt16LE(8) | 1, 8));
}

function eachEntry(packed: Uint8Array<ArrayBuffer>, change: (entry: Buffer) => void) {
  const copy = Buffer.from(packed);
  for (
    let at = copy.indexOf("PK\u0001\u0002");
    at >= 0;
    at = copy.indexOf("PK\u0001\u0002", at + 1)
  ) {
    change(copy.subarray(at));
  }
  return new Uint8Array(copy);
}

interface TarFile {
  name: string;
  data?: string;
  /** `0` a file, `2` a link, `5` a folder, `L` GNU's long name, `x` a pax header. */
  type?: string;
  mode?: number;
}

/** A gzipped tar file. */
export function tarGz(files: readonly TarFile[]): Uint8Array<ArrayBuffer> {
  const blocks = files.flatMap(({ name, data = "", type = "0", mode = 0o644 }) => {
    const body = Buffer.from(data);
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write(mode.toString(8).padStart(7, "0"), 100);
    header.write(body.length.toString(8).padStart(11, "0"), 124);
    header.write(type, 156);
    header.write("ustar\u000000", 257);
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return new Uint8Array(gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])));
}
