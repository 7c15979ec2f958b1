import { describe, expect, it } from "vitest";
import { startResendTwin } from "../twins/resend/twin.ts";
import { mailPreviews } from "./mail-previews.ts";

const previews = mailPreviews("http://localhost:8787");

describe("every mail of the platform", () => {
  it.each(previews.map((one) => [one.name, one] as const))("%s can be read", (_name, mail) => {
    expect(mail.subject).not.toMatch(/Belum ada contoh/);
    expect(mail.html).toContain('<html lang="id">');
    for (const text of [mail.subject, mail.html, mail.text]) {
      expect(text).not.toMatch(/undefined|null|NaN|Invalid Date|\[object/);
    }
  });

  it("has a name of its own", () => {
    expect(new Set(previews.map(({ name }) => name)).size).toBe(previews.length);
  });

  it("is shown at the mail twin's page, its markup in a frame without permissions", async () => {
    const twin = await startResendTwin({ apiKey: "re_test_0001", previews: () => previews });
    try {
      const page = await (await fetch(`${twin.url}/_previews`)).text();
      for (const { name } of previews) expect(page).toContain(name);
      expect(page.match(/<iframe sandbox=""/g)).toHaveLength(previews.length);
    } finally {
      await twin.stop();
    }
  });
});

it("a mail with a website's credentials says where the password is, and not the password", () => {
  const created = previews.find(({ name }) => name === "hosting_website_created");
  expect(created?.text).toContain("Nama pengguna FTP: kopikelud");
  expect(created?.text).toContain("Kata sandi FTP: lihat di dasbor");
});
