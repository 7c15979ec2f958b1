export { timingSafeEqual } from "./compare.ts";
export {
  basicAuth,
  hmacSha256,
  hmacSha256Base64,
  hmacSha256Base64Url,
  hmacSha256Hex,
  md5Hex,
  sha256,
  sha256Hex,
  sha512Hex,
} from "./digest.ts";
export {
  type Bytes,
  fromBase64,
  fromBase64Url,
  toBase64,
  toBase64Url,
  toHex,
  utf8,
} from "./encoding.ts";
export { gunzip, gzip } from "./gzip.ts";
export { decryptOnce, encryptOnce } from "./one-key.ts";
export { randomBase32, randomToken } from "./random-code.ts";
export { seal, unseal } from "./seal.ts";
