import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import { SESSION_COOKIE } from "../../../../shared/http/api.ts";
import { fetchWorker, standIns, testContext } from "../../../testing/api.ts";
import type { TestProduct, TestStore, TestUser } from "../../../testing/factories.ts";

export interface Page {
  status: number;
  headers: Headers;
  html: string;
  /** Where a redirect leads. */
  location: string | null;
}

export type FormFields = Record<string, string | string[]>;

export const originOf = (slug: string) => `http://${slug}.localhost:8787`;

/** A browser at one store: keeps its cookie and sends forms as pages of that store do. */
export class Visitor {
  readonly origin: string;
  #cookie: string | null;

  constructor(store: Pick<TestStore, "slug">, user?: TestUser) {
    this.origin = originOf(store.slug);
    this.#cookie = user ? `${SESSION_COOKIE}=${user.token}` : null;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Page> {
    return await this.#send(path, { headers });
  }

  async post(
    path: string,
    fields: FormFields,
    headers: Record<string, string> = {},
  ): Promise<Page> {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) {
      for (const one of [value].flat()) body.append(name, one);
    }
    return await this.#send(path, {
      method: "POST",
      body,
      headers: { origin: this.origin, "sec-fetch-site": "same-origin", ...headers },
    });
  }

  async #send(
    path: string,
    call: { method?: string; body?: URLSearchParams; headers: Record<string, string> },
  ): Promise<Page> {
    const headers = { ...(this.#cookie ? { cookie: this.#cookie } : {}), ...call.headers };
    const address = call.headers["cf-connecting-ip"];
    const sent = { ...call, headers, ...(address ? { address } : {}) };
    const response = await fetchWorker(`${this.origin}${path}`, sent);
    const set = response.headers.get("set-cookie");
    if (set?.startsWith(`${SESSION_COOKIE}=`)) this.#cookie = set.split(";")[0] ?? null;
    return {
      status: response.status,
      headers: response.headers,
      html: await response.text(),
      location: response.headers.get("location"),
    };
  }
}

const ENTITIES: Record<string, string> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};
const plain = (text: string) =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? "");

const attribute = (tag: string, name: string): string | null => {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag);
  return found ? plain(found[1] ?? "") : null;
};

/** What a browser would send of the page's form at `action`: hidden fields, typed values, what is checked. */
export function formOf({ html }: Page, action: string): Record<string, string[]> {
  const start = html.indexOf(`action="${action}"`);
  if (start < 0) throw new Error(`the page has no form for ${action}`);
  const form = html.slice(start, html.indexOf("</form>", start));
  const fields: Record<string, string[]> = {};
  const add = (name: string, value: string) => {
    fields[name] = [...(fields[name] ?? []), value];
  };
  for (const [tag] of form.matchAll(/<input[^>]*>/g)) {
    const name = attribute(tag, "name");
    const radio = attribute(tag, "type") === "radio";
    if (name && (!radio || /\schecked(=|\s|\/|>)/.test(tag)))
      add(name, attribute(tag, "value") ?? "");
  }
  for (const found of form.matchAll(/<textarea[^>]*name="([^"]*)"[^>]*>([^<]*)<\/textarea>/g)) {
    add(found[1] ?? "", plain(found[2] ?? ""));
  }
  return fields;
}

/** The structured data of a page. */
export function dataOf({ html }: Page): Record<string, unknown>[] {
  const blocks = html.matchAll(/<script type="application\/ld\+json">(.*?)<\/script>/gs);
  return [...blocks].map((block) => JSON.parse(block[1] ?? "") as Record<string, unknown>);
}

export const titleOf = ({ html }: Page): string =>
  plain(/<title>(.*?)<\/title>/s.exec(html)?.[1] ?? "");

/** Database round trips that an answer cost, by its request id. */
export async function tripsOf({ headers }: Page): Promise<number> {
  const id = headers.get("x-request-id") ?? "";
  const answer = await fetch(`${standIns().databaseHttpUrl}/_counts?request_id=${id}`);
  return z.object({ count: z.number() }).parse(await answer.json()).count;
}

/** Takes the database away until it is given back. */
export async function databaseAway(away: boolean): Promise<void> {
  await fetch(`${standIns().databaseHttpUrl}/_outage`, {
    method: "PUT",
    body: JSON.stringify({ on: away, mode: "503" }),
  });
}

export async function putInCart(user: TestUser, product: TestProduct, quantity = 1): Promise<void> {
  await testContext().db.run(
    rows(
      sql`insert into market_cart_items (user_id, product_id, quantity, seen_price)
        values (${user.userId}, ${product.id}, ${quantity}, ${product.price})`,
      z.unknown(),
    ),
  );
}
