import { expect, it } from "vitest";
import { testContext } from "../testing/api.ts";
import { topupMails } from "./mails.ts";

const DATA: Record<string, { data: unknown; says: string[] }> = {
  topup_low_stock: {
    data: { services: [{ id: "x", name: "<b>Diamond</b>", stock: 2, minStock: 5 }] },
    says: ["Diamond", "2 (batas 5)"],
  },
  topup_endpoint_disabled: {
    data: { url: "https://toko.example/<hook>", since: "2026-11-21T00:00:00Z" },
    says: ["https://toko.example/", "21 Nov 2026 07.00 WIB"],
  },
};

it.each(topupMails)(
  "mail $name says what it is about and runs nothing that it quotes",
  (template) => {
    const { data, says } = DATA[template.name] ?? { data: null, says: [] };
    const parsed = template.schema.parse(data);
    const { config } = testContext();
    const html = template.html(parsed, config);
    for (const words of says) {
      expect(template.text(parsed, config)).toContain(words);
      expect(html).toContain(words);
    }
    expect(template.subject(parsed).length).toBeGreaterThan(10);
    expect(html).not.toMatch(/<b>Diamond|<hook>/);
  },
);
