import type pg from "pg";
import type { Ctx } from "../../shared/context.ts";
import { confirmCharge } from "../../shared/payments/index.ts";
import type { Ipaymu, IpaymuPayment } from "../../shared/providers/ipaymu.ts";
import { payOrder } from "../../workers/hosting/payment.ts";
import { hostingSettlement } from "../../workers/hosting/settlement.ts";
import type { Act } from "./people.ts";

/** Of the order that may be paid, or was paid last. */
const ORDER = `select o.id, o.pay_key as key, o.status from hosting_orders o
  join timemachine_people p on p.subscription_id = o.renews_subscription_id
  where p.person = $1 and o.status in ('PENDING', 'COMPLETED') order by o.renews_period desc limit 1`;

const END = `select timemachine_ms(s.end_date)::float8 as end, c.settles_intent as settles
  from timemachine_people p join hosting_subscriptions s on s.id = p.subscription_id, payments_charges c
  where p.person = $1 and c.provider_ref = $2`;

export interface PersonalAct extends Act {
  person: number;
}

export interface Paid {
  person: number;
  end: number;
  at: number;
}

/**
 * Where some of the customers pay: through the Worker's own verbs, from the link of the mail to the confirmed payment,
 * with an iPaymu that does as they do. All they know of the time is the context's clock.
 */
export class Counter {
  readonly #client: pg.Client;
  readonly #ctx: Ctx;
  readonly #background: Promise<unknown>[] = [];
  readonly #amounts = new Map<string, number>();
  readonly #paid = new Map<string, IpaymuPayment>();
  /** The reference of a person's page. */
  readonly #pages = new Map<string, string>();
  #now = 0;

  constructor(client: pg.Client, ctx: Ctx) {
    this.#client = client;
    const providers = { ...ctx.providers, ipaymu: this.#ipaymu() };
    const waitUntil = (work: Promise<unknown>) => void this.#background.push(work);
    this.#ctx = { ...ctx, providers, waitUntil, now: () => new Date(this.#now) };
  }

  /** Does one thing at its time; answers whose renewal was paid by it. */
  async serve(act: PersonalAct): Promise<Paid[]> {
    this.#now = act.at;
    const page = `${act.person}/${act.page}`;
    if (act.do === "open") await this.#open(act.person, page);
    const ref = this.#pages.get(page);
    if (ref === undefined) return [];
    if (act.do === "expire") await this.#confirm(ref);
    return act.do === "pay" ? await this.#pay(act, ref) : [];
  }

  async #open(person: number, page: string): Promise<void> {
    this.#pages.delete(page);
    const { rows } = await this.#client.query(ORDER, [person]);
    const [order] = rows;
    if (order?.status !== "PENDING") return;
    const { paymentUrl } = await payOrder(this.#ctx, order.id, { key: order.key });
    this.#pages.set(page, paymentUrl.split("/").at(-1) ?? "");
    await Promise.all(this.#background.splice(0));
  }

  async #pay({ person, at }: PersonalAct, providerRef: string): Promise<Paid[]> {
    const isNew = !this.#paid.has(providerRef);
    const amountIdr = this.#amounts.get(providerRef) ?? 0;
    const told = { transactionId: `T${providerRef}`, providerRef, amountIdr, paidAt: new Date(at) };
    this.#paid.set(providerRef, { ...told, status: "paid" });
    // Every tenth customer's notice comes again.
    for (let n = 0; n <= Number(person % 10 === 0); n += 1) await this.#confirm(providerRef);
    const { rows } = await this.#client.query(END, [person, providerRef]);
    return isNew && rows[0]?.settles ? [{ person, end: rows[0].end, at }] : [];
  }

  async #confirm(providerRef: string): Promise<void> {
    await confirmCharge(this.#ctx, providerRef, [hostingSettlement]);
    await Promise.all(this.#background.splice(0));
  }

  #ipaymu(): Ipaymu {
    const unasked = () => Promise.reject(new Error("nobody asks for that here"));
    return {
      account: "timemachine",
      createRedirect: async ({ providerRef, amountIdr }) => {
        this.#amounts.set(providerRef, amountIdr);
        return { sessionId: providerRef, url: `https://ipaymu.example/payment/${providerRef}` };
      },
      getTransaction: async (id) => this.#paid.get(id.slice(1)) ?? null,
      history: async () => {
        return { rows: [...this.#paid.values()].slice(-20), pages: 1, highest: null };
      },
      listChannels: unasked,
      verifyCallback: unasked,
    };
  }
}
