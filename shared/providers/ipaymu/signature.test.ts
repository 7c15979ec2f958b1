import { expect, test } from "vitest";
import { sha256Hex } from "../../crypto/index.ts";
import { API_KEY, NOW, VA } from "../testing/ipaymu.ts";
import { requestHeaders, signRequest } from "./signature.ts";

/** Computed in providers/ipaymu.md §2 for this account. */
const VECTORS = [
  {
    name: "A: a payment",
    method: "POST",
    body: '{"product":["Paket Hosting Personal"],"qty":[1],"price":[150000],"description":["1 bulan"],"returnUrl":"https://shop.example/return","notifyUrl":"https://shop.example/api/payment/callback","cancelUrl":"https://shop.example/cancel","referenceId":"ORD-2026-0001","buyerName":"Budi","buyerEmail":"budi@example.com","buyerPhone":"081234567890","feeDirection":"MERCHANT"}',
    hash: "edd32c7c0936844c78c062884782d008f89a51e883e3a90762e7c80d45d5fc95",
    signature: "e7ebdd83357dd7692962711dd411ffbf75c5d60020f8eb7fcf912ed2b1dc363e",
  },
  {
    name: "B: a question",
    method: "POST",
    body: '{"transactionId":"193205"}',
    hash: "351daa28b1f2ae641fe18bbc055958217808b289f317156ed0646b00ad395b38",
    signature: "e128bd9fce0becb2743db2341d18b48dd11c77ca3ce80309d1d8a33b5b076716",
  },
  {
    name: "C: a GET signs an empty object",
    method: "GET",
    body: "{}",
    hash: "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    signature: "1314afccb7b736d42cd93f8c14798ccdac54f78b76e49a66727eef8f1185a463",
  },
] as const;

test.each(VECTORS)("vector $name", async ({ method, body, hash, signature }) => {
  expect(await sha256Hex(body)).toBe(hash);
  expect(await signRequest({ va: VA, apiKey: API_KEY }, method, body)).toBe(signature);
});

test("matches the vector that another implementation publishes", async () => {
  const body = '{"account":"1179000899","transactionId":"4719"}';
  expect(await signRequest({ va: "1179000899", apiKey: "secret-key" }, "POST", body)).toBe(
    "27af0b21d04496831361c37237fce28edcfab09e3914d0a9cc3e069c46b862e3",
  );
});

test("the headers carry the account, the signature and the time of Jakarta, and never the key", async () => {
  const headers = await requestHeaders({ va: VA, apiKey: API_KEY }, "GET", "{}", NOW);
  expect(headers).toEqual({
    va: VA,
    signature: VECTORS[2].signature,
    timestamp: "20261121100000",
  });
});
