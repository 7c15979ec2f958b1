import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { sellProduct } from "../local/demo/sale/seller.ts";
import { executablePath, openBrowser, openPhone, tabTo, type Watch, watchPage } from "./browser.ts";
import { type Market, openMarket, silently } from "./market.ts";
import { hand } from "./orders.ts";
import { type Platform, startPlatform } from "./platform.ts";

if (!executablePath) {
  console.warn(
    "The browser tests are skipped: there is no Chromium here. Run them with: apt-get install chromium && npx vitest run e2e/browser.test.ts",
  );
}

let platform: Platform;
let market: Market;
let browser: Browser;
let goods: { name: string; promo: string };
let home: string;

const PATIENCE_MS = 240_000;
const STREET = "Jl. Tebet Raya No. 5, RT 02 RW 03";

describe.skipIf(!executablePath)("a buyer on a phone", () => {
  beforeAll(async () => {
    [platform, browser] = await Promise.all([startPlatform(), openBrowser()]);
    market = await openMarket(platform, 1);
    goods = await sellProduct(silently(platform), market.seller, market.store);
    home = `http://${market.store.slug}.localhost:${platform.port}/`;
  }, PATIENCE_MS);

  afterAll(async () => {
    await browser?.close();
    await platform?.stop();
  });

  test(
    "finds a product, registers, orders with a promo, pays, sees the page turn to paid by itself, and follows the parcel",
    async () => {
      const context = await openPhone(browser);
      const watch = await watchPage(context);
      tellOnFailure(watch.page);
      await fillCart(watch);
      const number = await checkOut(watch);
      await payOnTheTwinsPage(await context.newPage(), watch.page);
      await watch.page.getByText("Dikemas").first().waitFor();
      await watch.look("the paid order");
      await followParcel(watch, number);
      expect(watch.faults).toEqual([]);
      await context.close();
    },
    PATIENCE_MS,
  );

  test(
    "gets from the store's home to the payment with the keyboard alone",
    async () => {
      const context = await openPhone(browser, { touch: false });
      const watch = await watchPage(context);
      tellOnFailure(watch.page);
      await buyWithKeys(watch.page);
      await watch.page.getByLabel("Kode QRIS untuk pembayaran ini").waitFor();
      expect(watch.faults).toEqual([]);
      await context.close();
    },
    PATIENCE_MS,
  );

  test(
    "gets to the payment with scripts switched off",
    async () => {
      const context = await openPhone(browser, { scripts: false });
      const page = await context.newPage();
      tellOnFailure(page);
      await buyWithoutScripts(page);
      await page.getByLabel("Kode QRIS untuk pembayaran ini").waitFor();
      await page.getByRole("link", { name: "Bayar dengan cara lain" }).click();
      await page.getByRole("button", { name: "QRIS" }).waitFor();
      await context.close();
    },
    PATIENCE_MS,
  );
});

function tellOnFailure(page: Page): void {
  onTestFailed(async () => {
    console.error(page.url(), await page.locator("body").innerText());
    console.error(platform.workerLog().slice(-4_000));
  });
}

async function fillCart({ page, look }: Watch): Promise<void> {
  await page.goto(home);
  await look("the store's home");
  await page.getByRole("link", { name: goods.name }).first().tap();
  await page.waitForURL(/\/produk\//);
  await look("the product");
  await page.getByRole("button", { name: "Tambah jumlah" }).tap();
  await page.getByRole("button", { name: "+ Keranjang" }).tap();
  await page.waitForURL(/\/masuk/);
  await look("the sign-in");
  await page.getByRole("link", { name: "Daftar gratis" }).tap();
  await page.waitForURL(/\/daftar/);
  await look("the registration");
  await page.getByLabel("Nama lengkap").fill("Sari Wulandari");
  await page.getByLabel("Email").fill(`sari-${Date.now()}@contoh.example`);
  await page.getByLabel("Kata sandi").fill("rahasia-sekali");
  await page.getByRole("button", { name: "Daftar dan masuk" }).tap();
  await page.waitForURL(/\/keranjang/);
  await look("the cart");
  expect(await page.getByLabel(`Jumlah ${goods.name}`).inputValue()).toBe("2");
}

/** Gives the order's number. */
async function checkOut({ page, look }: Watch): Promise<string> {
  await page.getByRole("link", { name: "Lanjut ke pengiriman" }).tap();
  await page.waitForURL(/\/checkout/);
  await look("the empty checkout");
  await page.getByLabel("Nomor HP").fill("0812-9876-5432");
  await page.getByLabel("Alamat lengkap").fill(STREET);
  await page.getByLabel("Cari kecamatan tujuan").pressSequentially("tebet");
  await page.getByText("Tebet, Jakarta Selatan").first().tap();
  await page.locator("[name=courier]").first().waitFor();
  await look("the checkout with its rates");
  await page.getByLabel("Kode promo").fill(goods.promo);
  await page.getByRole("button", { name: "Pakai" }).tap();
  await page.getByText("Rp5.000").first().waitFor();
  await look("the checkout with its promo");
  await page.getByRole("button", { name: "Bayar", exact: true }).tap();
  await page.waitForURL(/\/pesanan\//);
  await page.getByLabel("Kode QRIS untuk pembayaran ini").waitFor();
  await look("the payment");
  const number = /TB\w{12}/.exec(await page.title())?.[0];
  if (!number) throw new Error(`no order number in the title ${await page.title()}`);
  return number;
}

async function payOnTheTwinsPage(twin: Page, order: Page): Promise<void> {
  const link = order.getByRole("link", { name: "Bayar dengan cara lain" });
  await twin.goto((await link.getAttribute("href")) ?? "");
  await twin.getByRole("button", { name: "QRIS" }).click();
  await twin.getByRole("button", { name: "Bayar sekarang" }).click();
  await twin.getByText("Pembayaran berhasil").waitFor();
  await twin.close();
}

async function followParcel({ page, look }: Watch, number: string): Promise<void> {
  for (const [to, words] of [
    ["shipped", "Paket dalam perjalanan"],
    ["finished", "Paket diterima"],
  ] as const) {
    await hand(`${platform.kiriminaja}/_move/${number}`, { to });
    await expect
      .poll(
        async () => {
          await page.reload();
          return await page.locator("main").innerText();
        },
        { timeout: 40_000 },
      )
      .toContain(words);
    await look(`the order when ${to}`);
  }
}

async function buyWithKeys(page: Page): Promise<void> {
  const { keyboard } = page;
  const pressOn = async (name: string, role: "link" | "button") => {
    await tabTo(page, page.getByRole(role, { name, exact: true }).first());
    await keyboard.press("Enter");
  };
  const write = async (label: string, text: string) => {
    await tabTo(page, page.getByLabel(label, { exact: true }));
    await keyboard.press("ControlOrMeta+a");
    await keyboard.type(text);
  };
  await page.goto(home);
  await tabTo(page, page.getByRole("link", { name: goods.name }).first());
  await keyboard.press("Enter");
  await page.waitForURL(/\/produk\//);
  await pressOn("Beli sekarang", "button");
  await page.waitForURL(/\/masuk/);
  await pressOn("Daftar gratis", "link");
  await page.waitForURL(/\/daftar/);
  await write("Nama lengkap", "Budi Santoso");
  await write("Email", `budi-${Date.now()}@contoh.example`);
  await write("Kata sandi", "rahasia-sekali");
  await keyboard.press("Enter");
  await page.waitForURL(/\/checkout/);
  await write("Nomor HP", "081298765432");
  await write("Alamat lengkap", STREET);
  await write("Cari kecamatan tujuan", "tebet");
  const district = page.locator("[data-areas] input").first();
  await district.waitFor();
  await tabTo(page, district);
  await keyboard.press("Space");
  await pressOn("Lihat ongkos kirim", "button");
  const courier = page.locator("[name=courier]");
  await courier.first().waitFor();
  await tabTo(page, courier.first());
  await keyboard.press("ArrowDown");
  expect(await courier.nth(1).isChecked()).toBe(true);
  await pressOn("Bayar", "button");
  await page.waitForURL(/\/pesanan\//);
}

async function buyWithoutScripts(page: Page): Promise<void> {
  await page.goto(home);
  await page.getByRole("link", { name: goods.name }).first().tap();
  await page.getByRole("button", { name: "Beli sekarang" }).tap();
  await page.getByRole("link", { name: "Daftar gratis" }).tap();
  await page.getByLabel("Nama lengkap").fill("Tanpa Skrip");
  await page.getByLabel("Email").fill(`tanpa-${Date.now()}@contoh.example`);
  await page.getByLabel("Kata sandi").fill("rahasia-sekali");
  await page.getByRole("button", { name: "Daftar dan masuk" }).tap();
  await page.getByLabel("Nomor HP").fill("081298765432");
  await page.getByLabel("Alamat lengkap").fill(STREET);
  await page.getByLabel("Cari kecamatan tujuan").fill("kota blitar");
  await page.getByRole("button", { name: "Cari", exact: true }).tap();
  await page.getByText("Sukorejo, Kota Blitar").first().tap();
  await page.getByRole("button", { name: "Lihat ongkos kirim" }).tap();
  await page.locator("[name=courier]").nth(1).check();
  await page.getByRole("button", { name: "Bayar", exact: true }).tap();
  await page.waitForURL(/\/pesanan\//);
}
