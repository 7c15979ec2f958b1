import { sha256 } from "./digest.ts";
import type { Bytes } from "./encoding.ts";

/**
 * Whether two secrets are equal, in a time that tells nothing about where or by how much they differ.
 * Works on digests, so that the lengths are hidden too and the same code serves workerd and Node.
 */
export async function timingSafeEqual(a: string | Bytes, b: string | Bytes): Promise<boolean> {
  const [left, right] = await Promise.all([sha256(a), sha256(b)]);
  let difference = 0;
  for (let index = 0; index < left.length; index += 1) {
    difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  }
  return difference === 0;
}
