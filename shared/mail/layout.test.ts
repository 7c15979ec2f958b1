import { describe, expect, test } from "vitest";
import { testContext } from "../../workers/testing/api.ts";
import { alertMail } from "./alert.ts";
import { htmlOf, type MailPage, textOf } from "./layout.ts";

const EVIL = `<script>alert("1")</script>'&`;
const page = (url: string): MailPage => ({
  title: EVIL,
  blocks: [
    { kind: "text", text: EVIL },
    { kind: "facts", facts: [[EVIL, EVIL]] },
    { kind: "button", label: EVIL, url },
  ],
});

describe("a mail's HTML", () => {
  test("shows every value as text, wherever it stands", () => {
    const html = htmlOf(page(`https://toko.test/?q=${EVIL}`));
    expect(html).not.toContain("<script");
    expect(html.match(/&lt;script&gt;/g)).toHaveLength(6);
    expect(html).toContain('href="https://toko.test/?q=%3Cscript%3E');
  });

  test.each(["javascript:alert(1)", "data:text/html,x", "not an address", ""])(
    "never links to %j",
    (url) => {
      expect(htmlOf(page(url))).toContain('href="#"');
      expect(textOf(page(url))).toContain(": #");
    },
  );

  test("is Indonesian and made for phones", () => {
    const html = htmlOf({ title: "Pesanan diterima", blocks: [] });
    expect(html).toContain('<html lang="id">');
    expect(html).toContain("width=device-width");
    expect(html).toContain("max-width:560px");
  });
});

test("a mail's text says the same without markup", () => {
  const text = textOf({
    title: "Pesanan dibayar",
    blocks: [
      { kind: "text", text: "Halo Ana," },
      {
        kind: "facts",
        facts: [
          ["Nomor", "LB-1"],
          ["Total", "Rp 10.000"],
        ],
      },
      { kind: "button", label: "Lihat pesanan", url: "https://toko.test/p/1" },
    ],
  });
  expect(text).toBe(`Pesanan dibayar

Halo Ana,

Nomor: LB-1
Total: Rp 10.000

Lihat pesanan: https://toko.test/p/1

--
Email ini dikirim otomatis oleh Lumbung. Mohon tidak membalas email ini.`);
});

test("an alert names what happened and its facts", () => {
  const data = alertMail.schema.parse({
    what: "Pekerjaan gagal: x",
    facts: { id: "1", percobaan: 20 },
  });
  expect(alertMail.subject(data)).toBe("[Lumbung] Pekerjaan gagal: x");
  expect(alertMail.text(data, testContext().config)).toContain("percobaan: 20");
});
