import { randomInt } from "node:crypto";
import { DEMO_PASSWORD, writeDemoUsers } from "../local/demo/data.ts";
import { makeBuyer } from "../local/demo/sale/buyer.ts";
import { signIn } from "../local/demo/sale/seller.ts";
import { ask } from "../local/demo/topup/calls.ts";
import { syncCatalogue } from "../local/demo/topup/catalogue.ts";
import { deposit } from "../local/demo/topup/wallet.ts";
import { silently } from "./market.ts";
import type { Platform } from "./platform.ts";

/** A client of the SMM panel dialect as panels have it: forms posted with `key` and `action`, JSON read back. */
export interface Panel {
  userId: number;
  /** The answer of one call, whatever its status. Throws when none comes. */
  post<T = Record<string, unknown>>(fields: Record<string, string | number>): Promise<T>;
}

/** A service as the dialect lists it. */
export interface PanelService {
  service: number;
  name: string;
  type: string;
  rate: string;
  min: string;
  max: string;
}

/** What an order's `status` says. */
export interface PanelStatus {
  charge: string;
  start_count: string;
  status: string;
  remains: string;
  currency: string;
  sn?: string;
  error?: string;
}

/** A call may last as long as the supplier is waited for, and its turn before that. */
const PATIENCE_MS = 60_000;

/** The catalogue as the admin's sync leaves it. */
export async function fillCatalogue(platform: Platform): Promise<void> {
  await writeDemoUsers(platform.database.adminUrl);
  const admin = { token: await signIn(silently(platform), "admin@lumbung.example", DEMO_PASSWORD) };
  await syncCatalogue(silently(platform), admin);
}

/** A reseller with money and an API key, and his panel. */
export async function openPanel(platform: Platform, depositIdr: number): Promise<Panel> {
  const tell = silently(platform);
  const person = await makeBuyer(tell);
  await deposit(tell, person, depositIdr);
  const path = "/api/reseller/keys";
  const wish = { name: "Panel", requestsPerMinute: 6_000 };
  const { data } = await ask<{ data: { key: string } }>(tell, path, person, wish);
  const [user] = await platform.sql<{ id: string }>(
    "select id from identity_users where email = $1",
    [person.email],
  );
  return {
    userId: Number(user?.id),
    post: async (fields) => {
      const form = new URLSearchParams({ key: data.key });
      for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
      const response = await fetch(`${platform.app}/api/v2`, {
        method: "POST",
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          "user-agent": "Mozilla/4.0 (compatible; MSIE 5.01; Windows NT 5.0)",
        },
        body: form.toString(),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      return await response.json();
    },
  };
}

/** The panel's number of a service, by its name. */
export async function numberOf(panel: Panel, name: string): Promise<number> {
  const services = await panel.post<PanelService[]>({ action: "services" });
  const found = services.find((service) => service.name === name);
  if (!found) throw new Error(`${name} is not among ${services.length} services`);
  return found.service;
}

const digits = (count: number) => String(randomInt(10 ** count)).padStart(count, "0");

/** Links that no other order has, one for each kind of service. */
export const newLink = {
  phone: () => `0812${digits(8)}`,
  player: () => `5${digits(8)}|2001`,
  post: () => `https://instagram.com/p/${digits(12)}`,
};
