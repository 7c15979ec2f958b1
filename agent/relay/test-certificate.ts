import { generateKeyPairSync, sign, X509Certificate } from "node:crypto";

/** One DER value: tag, length, content. */
function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  // The shortest form, or strict readers refuse it.
  const size =
    length > 255 ? [0x82, length >> 8, length & 255] : length > 127 ? [0x81, length] : [length];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const utcTime = (date: Date) => `${date.toISOString().replace(/\D/g, "").slice(2, 14)}Z`;
const sequence = (...content: Buffer[]) => der(0x30, ...content);
const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"));
const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));

export interface SelfSigned {
  cert: string;
  key: string;
  /** SHA-256, as `tls` prints it. */
  fingerprint: string;
}

/** A self-signed certificate of 127.0.0.1, made anew for each test: what an aaPanel has by default. */
export function selfSigned(until = new Date(Date.UTC(2049, 11, 31))): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const commonName = sequence(oid("550403"), der(0x0c, Buffer.from("127.0.0.1")));
  const name = sequence(der(0x31, commonName));
  const time = (text: string) => der(0x17, Buffer.from(text));
  const address = der(0x87, Buffer.from([127, 0, 0, 1]));
  const altName = sequence(oid("551d11"), der(0x04, sequence(address)));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    sequence(time("200101000000Z"), time(utcTime(until))),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(altName)),
  );
  const signature = der(0x03, Buffer.from([0]), sign("sha256", body, privateKey));
  const certificate = new X509Certificate(sequence(body, ecdsaWithSha256, signature));
  return {
    cert: certificate.toString(),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    fingerprint: certificate.fingerprint256,
  };
}
