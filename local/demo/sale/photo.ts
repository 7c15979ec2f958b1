import { crc32, deflateSync } from "node:zlib";

const SIZE = 640;

/** A picture of a wafer, drawn by code: a PNG that the platform checks, strips and stores like any other. */
export function demoPhoto(): Uint8Array<ArrayBuffer> {
  const rows = Buffer.alloc(SIZE * (SIZE * 3 + 1));
  for (let y = 0; y < SIZE; y += 1) {
    for (let x = 0; x < SIZE; x += 1) rows.set(colourAt(x, y), y * (SIZE * 3 + 1) + 1 + x * 3);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIZE, 0);
  header.writeUInt32BE(SIZE, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return new Uint8Array(
    Buffer.concat([
      signature,
      chunk("IHDR", header),
      chunk("IDAT", deflateSync(rows)),
      chunk("IEND", Buffer.alloc(0)),
    ]),
  );
}

/** Golden squares with darker grooves, on cream. */
function colourAt(x: number, y: number): [number, number, number] {
  const inside = x > 90 && x < 550 && y > 150 && y < 490;
  if (!inside) return [250, 240 - Math.round(y / 40), 222 - Math.round(y / 30)];
  const groove = (x - 90) % 46 < 7 || (y - 150) % 48 < 7;
  const light = Math.round(18 * Math.sin((x + y) / 60));
  return groove ? [168 + light, 112 + light, 52] : [224 + light, 166 + light, 92];
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body) >>> 0, 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}
