export interface ImageFacts {
  type: "png" | "jpeg";
  width: number;
  height: number;
}

const pngMark = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function pngFacts(bytes: Buffer): ImageFacts | null {
  const whole = bytes.length > 45 && bytes.toString("latin1", 12, 16) === "IHDR";
  if (!whole || bytes.lastIndexOf("IEND") < 33) return null;
  return { type: "png", width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

/** Start-of-frame markers, which hold the size; DHT, JPG and DAC lie among them and do not. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

function jpegFacts(bytes: Buffer): ImageFacts | null {
  if (bytes.lastIndexOf(Buffer.from([0xff, 0xd9])) < 4) return null;
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1] ?? 0;
    if (isFrame(marker)) {
      return {
        type: "jpeg",
        height: bytes.readUInt16BE(at + 5),
        width: bytes.readUInt16BE(at + 7),
      };
    }
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return null;
}

/** Kind and size of a PNG or JPEG as its bytes say, or null when they are neither. */
export function imageFacts(bytes: Buffer): ImageFacts | null {
  const isPng = bytes.subarray(0, 8).equals(pngMark);
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  const facts = isPng ? pngFacts(bytes) : isJpeg ? jpegFacts(bytes) : null;
  return facts && facts.width > 0 && facts.height > 0 ? facts : null;
}
