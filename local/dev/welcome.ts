import type { Addresses } from "../cloud.ts";
import { DEMO_SIGN_INS } from "../demo/data.ts";

/** What a newcomer can open and sign in with. */
export function printWelcome(addresses: Addresses, tookMs: number): void {
  const store = addresses.app.replace("localhost", "kopi-kelud.localhost");
  const rows: [string, string][] = [
    ["API", addresses.app],
    ["API reference", `${addresses.app}/docs`],
    ["A store", store],
    ["Payments (Midtrans twin)", addresses.midtrans],
    ["Payments (iPaymu twin)", addresses.ipaymu],
    ["Courier (KiriminAja twin)", addresses.kiriminaja],
    ["Top-up (VIP-Reseller twin)", addresses.vipReseller],
    ["Hosting (aaPanel twin)", addresses.aapanel],
    ["Shopee (twin)", addresses.shopee],
    ["Lazada (twin)", addresses.lazada],
    ["TikTok Shop, Tokopedia", addresses.tiktokShop],
    ["Photos (Replicate twin)", addresses.replicate],
    ["Instagram (twin)", addresses.instagram],
    ["Assistant (Anthropic twin)", addresses.anthropic],
    ["Mail (Resend twin)", addresses.resend],
    ["Every mail as a sample", `${addresses.resend}/_previews`],
  ];
  console.log(`\nLumbung runs (ready in ${(tookMs / 1000).toFixed(1)} s)\n`);
  for (const [label, value] of rows) console.log(`  ${label.padEnd(27)} ${value}`);
  console.log("\nDemo sign-ins (password of all: lumbung-demo)\n");
  for (const { role, email } of DEMO_SIGN_INS) console.log(`  ${role.padEnd(27)} ${email}`);
  console.log(`  ${"operator at the panel".padEnd(27)} admin`);
  console.log(
    "\nMake a sale: npm run demo (or npm run demo -- live, -- topup, -- hosting, -- market, -- panel). Stop: Ctrl-C.\n",
  );
}
