import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { noticeSignature, requestSignature } from "./signature.ts";

const va = "0000001234567890";
const apiKey = "SANDBOX-TEST-APIKEY-0001";

describe("a request is signed as the documented vectors", () => {
  const bodyA =
    '{"product":["Paket Hosting Personal"],"qty":[1],"price":[150000],"description":["1 bulan"],"returnUrl":"https://shop.example/return","notifyUrl":"https://shop.example/api/payment/callback","cancelUrl":"https://shop.example/cancel","referenceId":"ORD-2026-0001","buyerName":"Budi","buyerEmail":"budi@example.com","buyerPhone":"081234567890","feeDirection":"MERCHANT"}';
  const vectors: [string, string, string, string, string][] = [
    [
      "A",
      "POST",
      bodyA,
      "edd32c7c0936844c78c062884782d008f89a51e883e3a90762e7c80d45d5fc95",
      "e7ebdd83357dd7692962711dd411ffbf75c5d60020f8eb7fcf912ed2b1dc363e",
    ],
    [
      "B",
      "POST",
      '{"transactionId":"193205"}',
      "351daa28b1f2ae641fe18bbc055958217808b289f317156ed0646b00ad395b38",
      "e128bd9fce0becb2743db2341d18b48dd11c77ca3ce80309d1d8a33b5b076716",
    ],
    [
      "C",
      "GET",
      "{}",
      "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
      "1314afccb7b736d42cd93f8c14798ccdac54f78b76e49a66727eef8f1185a463",
    ],
  ];
  it.each(vectors)("vector %s", (_name, method, body, hash, signature) => {
    expect(createHash("sha256").update(body).digest("hex")).toBe(hash);
    expect(requestSignature(method, va, body, apiKey)).toBe(signature);
  });

  it("and as the one that another project published", () => {
    const body = '{"account":"1179000899","transactionId":"4719"}';
    expect(requestSignature("POST", "1179000899", body, "secret-key")).toBe(
      "27af0b21d04496831361c37237fce28edcfab09e3914d0a9cc3e069c46b862e3",
    );
  });
});

describe("a notice is signed as the documented vectors", () => {
  const fields = {
    trx_id: 193205,
    sid: "5892246c-82e6-4397-af7a-92bff3f96d77",
    reference_id: "ORD-2026-0001",
    status: "berhasil",
    status_code: 1,
    sub_total: "150000",
    total: "150000",
    amount: "150000",
    fee: "1050",
    paid_off: 148950,
    created_at: "2026-01-27 02:47:53",
    expired_at: "2026-01-28 02:47:52",
    paid_at: "2026-01-27 02:48:08",
    settlement_status: "settled",
    transaction_status_code: 1,
    is_escrow: false,
    system_notes: "Sandbox notify",
    via: "qris",
    channel: "mpm",
    payment_no: "",
    buyer_name: "Budi",
    buyer_email: "budi@example.com",
    buyer_phone: "081234567890",
    additional_info: [],
    url: "https://shop.example/api/payment/callback",
  };
  const named = { ...fields, buyer_name: "José Ñandú" };

  it("in byte order with escaped slashes, a field `signature` left out", () => {
    const wanted = "46f2ccd077fe227a7ffc40be086b00c069e46b99eb41c80e7400057818ab0db8";
    expect(noticeSignature(fields, va)).toBe(wanted);
    expect(noticeSignature({ ...fields, signature: "x" }, va)).toBe(wanted);
  });

  it("with names that are not ASCII, escaped or raw", () => {
    expect(noticeSignature(named, va)).toBe(
      "db02caafb5f8b7ff76d66fc7d0ddd0680965b3688936820d2b43f486f28d140e",
    );
    expect(noticeSignature(named, va, "raw-utf8")).toBe(
      "7f6bf08313dece804bf66ee4458f8ec1c8cbbc325ff2169242777d542eb1607b",
    );
  });

  it("with both reference fields, whose order tells bytes from locale", () => {
    expect(noticeSignature({ ...fields, referenceId: "ORD-2026-0001" }, va)).toBe(
      "d5d507ad1bdeca9e49e61166cc158d2e37e48a62af300110388e53c18f57be33",
    );
  });
});
