import { expect, it } from "vitest";
import { isSigned, relaySignature } from "./signature.ts";
import { key } from "./testing.ts";

/** The vectors of docs/relay.md. */
const vectors = [
  {
    method: "POST",
    target: "https://panel.example.net:8888/site?action=SiteStop",
    time: "1700000000",
    nonce: "AAECAwQFBgcICQoLDA0ODw",
    timeout: "20000",
    headers: [
      ["content-type", "application/x-www-form-urlencoded"],
      ["user-agent", "lumbung/1"],
    ],
    body: Buffer.from("id=7&name=toko.example"),
    signature: "79bb626f92ac0aa0bebeabc036f7729bfcc76366b23842ea856a2e59d66e8ea5",
  },
  {
    method: "GET",
    target: "https://my.ipaymu.com/api/v2/payment-channels",
    time: "1700000000",
    nonce: "Dw4NDAsKCQgHBgUEAwIBAA",
    timeout: "10000",
    headers: [["va", "0000001234567890"]],
    body: Buffer.alloc(0),
    signature: "b288f95e8094cdd1976eddd08dfa11eac80228fd4410b46588d2997715660466",
  },
  {
    method: "POST",
    target: "https://panel.example.net:8888/files?action=upload",
    time: "1700000001",
    nonce: "AAECAwQFBgcICQoLDA0ODw",
    timeout: "60000",
    headers: [["content-type", "application/octet-stream"]],
    body: Buffer.from("00ff0d0a80", "hex"),
    signature: "efff7edac1b189e85546d8ce455aeb223f6d64684396f1bfeaec022a681246da",
  },
];

it.each(vectors)("signs $method $target as the vector", ({ signature, headers, ...rest }) => {
  const encoded = Buffer.from(JSON.stringify(headers)).toString("base64url");
  const signed = { ...rest, headers: encoded };
  expect(relaySignature(key, signed)).toBe(signature);
  expect(isSigned(key, signed, signature)).toBe(true);
  expect(isSigned(key, signed, signature.slice(1))).toBe(false);
  expect(isSigned(`${key}.`, signed, signature)).toBe(false);
});
