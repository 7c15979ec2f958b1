import { expect, it } from "vitest";
import { crc16, qrisText } from "../common/qr.ts";
import { signature } from "./bodies.ts";

const key = "SB-Mid-server-TESTKEY0001";
const vectors: [string, string, string][] = [
  [
    "200",
    "10000.00",
    "96c7fd0c47b717180e5fd731632b7ec05ccde9e38407e6569ef24cb3deb753113d669f5d5786308177e82dc23d9d8fafcc20f4747b483ca23cb65a83f855d334",
  ],
  [
    "201",
    "10000.00",
    "70fb3185adf1f15eb9f91932547a4c4a9cf67da4921d3de7b07c5d807d0283f1d7a379b75948e261fe27c23784d7ebd92d1c2be3f01f64e9bc8e981b73bef7c0",
  ],
  [
    "202",
    "10000.00",
    "6096fbd3226caf18e5b56fc98cf29ea371c9338c7d9ba682347b8555720ab66e7aa648a97a04170cd9f0c3448f0642fa65c3908efe35b4fc414653bf688bc33f",
  ],
  [
    "200",
    "10000",
    "be2d6261fb0cf6b60bb11ce8805b3143a7f7b99ab0a57b96f9a335eef68e6928717cef032cdc87a2d33031f8158ec6564f857ae3e54deff370dfed3ca048d51e",
  ],
];

it.each(vectors)("signs code %s and amount %s as the documented vector", (code, amount, hash) => {
  expect(signature("ORD-2026-0001", code, amount, key)).toBe(hash);
});

it("makes QR texts whose check sum is right", () => {
  expect(crc16("123456789")).toBe("29B1");
  const text = qrisText("e83d2c74-8ded-4677-bb5e-f165f5f256b3", 18_000);
  expect(text).toContain("540518000");
  expect(text.slice(-4)).toBe(crc16(text.slice(0, -4)));
});
