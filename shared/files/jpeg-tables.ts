/** Checks of the table segments in a JPEG. Source: ITU-T T.81 sections B.2.4.1 and B.2.4.2. */

/** Whether the payload is one or more quantisation tables and nothing besides. */
export function isQuantTables(payload: Uint8Array): boolean {
  let at = 0;
  while (at < payload.length) {
    const head = payload[at] ?? 0;
    if (head >> 4 > 1 || (head & 15) > 3) return false;
    at += head >> 4 === 1 ? 129 : 65;
  }
  return at > 0 && at === payload.length;
}

/** Whether the payload is one or more Huffman tables and nothing besides. */
export function isHuffmanTables(payload: Uint8Array): boolean {
  let at = 0;
  while (at < payload.length) {
    const head = payload[at] ?? 0;
    if (head >> 4 > 1 || (head & 15) > 3 || at + 17 > payload.length) return false;
    const codes = payload.subarray(at + 1, at + 17).reduce((total, count) => total + count, 0);
    if (codes > 256) return false;
    at += 17 + codes;
  }
  return at > 0 && at === payload.length;
}
