import { crc32, deflateSync } from "node:zlib";
import { encode, renderSVG } from "uqr";

function field(tag: string, value: string): string {
  return tag + String(value.length).padStart(2, "0") + value;
}

/** CRC-16/CCITT-FALSE, the check sum of an EMVCo merchant QR. */
export function crc16(text: string): string {
  let crc = 0xffff;
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
    }
  }
  return crc.toString(16).toUpperCase().padStart(4, "0");
}

/** A dynamic QRIS text in the EMVCo form: tags, an amount and a right check sum, payable by nobody. */
export function qrisText(transactionId: string, amount: number): string {
  const account = field("00", "COM.GO-JEK.WWW") + field("01", "936009140000000001");
  const national =
    field("00", "ID.CO.QRIS.WWW") + field("02", "ID1000000000001") + field("03", "UMI");
  const body =
    field("00", "01") +
    field("01", "12") +
    field("26", account) +
    field("51", national) +
    field("52", "5999") +
    field("53", "360") +
    field("54", String(amount)) +
    field("58", "ID") +
    field("59", "Lumbung Twin") +
    field("60", "BLITAR") +
    field("62", field("05", transactionId.replaceAll("-", "").slice(0, 25))) +
    "6304";
  return body + crc16(body);
}

function chunk(name: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const whole = Buffer.alloc(typed.length + 8);
  whole.writeUInt32BE(data.length, 0);
  typed.copy(whole, 4);
  whole.writeUInt32BE(crc32(typed) >>> 0, typed.length + 4);
  return whole;
}

/** The QR of `text` as a greyscale PNG of 8 pixels a module. */
export function qrPng(text: string): Buffer {
  const { data, size } = encode(text, { ecc: "M", border: 4 });
  const scale = 8;
  const width = size * scale;
  const lines: Buffer[] = [];
  for (const row of data) {
    const line = Buffer.alloc(width + 1, 255);
    line[0] = 0;
    row.forEach((dark, column) => {
      if (dark) line.fill(0, 1 + column * scale, 1 + (column + 1) * scale);
    });
    for (let copy = 0; copy < scale; copy += 1) lines.push(line);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(width, 4);
  header[8] = 8;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(lines))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

export function qrSvg(text: string): string {
  return renderSVG(text, { ecc: "M", border: 2 });
}
