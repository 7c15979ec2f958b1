import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  createProduct,
  createUser,
  type TestProduct,
  type TestStore,
  type TestUser,
} from "../../../testing/factories.ts";
import { order, payOrder } from "../../../testing/orders.ts";
import { createShop, run } from "../../testing/catalogue.ts";
import { titleOf, tripsOf, Visitor } from "../testing/visitor.ts";

let store: TestStore;
let product: TestProduct;
let buyer: TestUser;
let visitor: Visitor;
let orderId: string;

beforeEach(async () => {
  store = (await createShop()).store;
  product = await createProduct(store);
  buyer = await createUser();
  visitor = new Visitor(store, buyer);
  orderId = (await order(buyer, store, [[product, 2]])).body.data.order_id;
  // The provider's answer is recorded behind ours.
  await vi.waitFor(async () => expect((await statusOf()).key).toBe("pending/pending/2"));
});

const statusOf = async (from = visitor) =>
  JSON.parse((await from.get(`/pesanan/${orderId}/status`)).html);

describe("an order that waits for its payment", () => {
  it("shows the code, the amount, how long, and a link, in one round trip", async () => {
    await visitor.get("/");
    const page = await visitor.get(`/pesanan/${orderId}`);
    expect(page.status).toBe(200);
    expect(titleOf(page)).toContain("Bayar pesanan");
    expect(page.html).toContain('aria-label="Kode QRIS untuk pembayaran ini"');
    expect(page.html).toContain("Rp68.000");
    expect(page.html).toMatch(/data-left="(8[0-9]{2}|900)"/);
    expect(page.html).toContain("Bayar dengan cara lain");
    expect(page.html).toMatch(/data-keep="qris-TB[0-9A-Z]{12}\.png"/);
    expect(page.html).toMatch(/<noscript><meta http-equiv="refresh" content="10"/);
    expect(page.headers.get("cache-control")).toBe("private, no-store");
    expect(await tripsOf(page)).toBe(1);
  });

  it("falls back to the provider's picture of the code, and the page may load it", async () => {
    await run(sql`update payments_charges set qr_string = null, qr_image_url = 'https://qr.example/x.png'
      where channel = 'qris' and intent_id = (select payment_id from market_orders where id = ${orderId})`);
    const page = await visitor.get(`/pesanan/${orderId}`);
    expect(page.html).toContain('src="https://qr.example/x.png"');
    expect(page.headers.get("content-security-policy")).toMatch(
      /img-src [^;]*https:\/\/qr\.example/,
    );
  });

  it("notices by itself that it is paid", async () => {
    const page = await visitor.get(`/pesanan/${orderId}`);
    const key = /data-key="([^"]+)"/.exec(page.html)?.[1];
    expect((await statusOf()).key).toBe(key);
    await payOrder(orderId);
    expect((await statusOf()).key).not.toBe(key);
    const paid = await visitor.get(`/pesanan/${orderId}`);
    expect(paid.html).toContain("Perjalanan pesanan");
    expect(paid.html).toContain("Pembayaran diterima");
    expect(paid.html).not.toContain("Kode QRIS");
  });

  it("can be given up, and then says what becomes of money that comes all the same; not once it is paid", async () => {
    const answer = await visitor.post(`/pesanan/${orderId}/batal`, {});
    expect([answer.status, answer.location]).toEqual([303, `/pesanan/${orderId}`]);
    const { html } = await visitor.get(`/pesanan/${orderId}`);
    expect(html).toContain("Dibatalkan pembeli");
    expect(html).toContain("Jangan lagi membayar");
    expect(html).not.toContain("Kode QRIS");
    expect(html).not.toContain("Bayar dengan cara lain");
    const paid = await order(buyer, store, [[await createProduct(store), 1]]);
    await payOrder(paid.body.data.order_id);
    expect((await visitor.post(`/pesanan/${paid.body.data.order_id}/batal`, {})).status).toBe(409);
  });

  it("that was not paid in time says so", async () => {
    await run(sql`update market_orders set status = 'cancelled', closed_at = now(),
      closed_reason = 'Pembayaran kedaluwarsa' where id = ${orderId}`);
    const { html } = await visitor.get(`/pesanan/${orderId}`);
    expect(html).toContain("Dibatalkan");
    expect(html).toContain("Pembayaran kedaluwarsa");
  });
});

describe("somebody else's order", () => {
  it("is the same 404 as one that is not there", async () => {
    const stranger = new Visitor(store, await createUser());
    for (const id of [orderId, crypto.randomUUID(), "x"]) {
      const page = await stranger.get(`/pesanan/${id}`);
      expect(page.status).toBe(404);
      expect(page.html).toContain("bukan pesanan Anda");
      expect((await stranger.get(`/pesanan/${id}/status`)).status).toBe(404);
    }
    expect((await stranger.post(`/pesanan/${orderId}/diterima`, {})).status).toBe(404);
  });

  it("is not shown to somebody who is not signed in", async () => {
    const nobody = new Visitor(store);
    expect((await nobody.get(`/pesanan/${orderId}`)).location).toContain("/masuk?next=");
    expect((await nobody.get(`/pesanan/${orderId}/status`)).status).toBe(401);
  });
});

describe("an order on its way", () => {
  const ship = () =>
    run(sql`with o as (update market_orders set status = 'shipped' where id = ${orderId})
      update market_shipments set status = 'in_transit', tracking_code = 'JNE123456', shipped_at = now()
      where order_id = ${orderId}`);

  it("shows the tracking code and what happened so far", async () => {
    await payOrder(orderId);
    await ship();
    const { html } = await visitor.get(`/pesanan/${orderId}`);
    expect(html).toContain("JNE123456");
    expect(html).toContain("Dikirim");
    expect(html).toContain("Pesanan sudah saya terima");
  });

  it("notices by itself what happens to its parcel, until it has arrived", async () => {
    await payOrder(orderId);
    const seen = new Set<string | undefined>();
    const happens = async (query: ReturnType<typeof sql>) => {
      await run(query);
      const { html } = await visitor.get(`/pesanan/${orderId}`);
      const key = /data-key="([^"]+)"/.exec(html)?.[1];
      expect(html).toContain(`data-watch="/pesanan/${orderId}/status"`);
      expect((await statusOf()).key).toBe(key);
      seen.add(key);
    };
    await happens(sql`update market_orders set status = 'processing' where id = ${orderId}`);
    await happens(
      sql`update market_shipments set tracking_code = 'JNE123456' where order_id = ${orderId}`,
    );
    await happens(sql`insert into market_shipment_events (shipment_id, status, description, occurred_at)
      select id, 'in_transit', 'Paket transit', now() from market_shipments where order_id = ${orderId}`);
    await happens(sql`update market_orders set status = 'shipped' where id = ${orderId}`);
    expect(seen.size).toBe(4);
    await run(sql`update market_orders set status = 'delivered' where id = ${orderId}`);
    expect((await visitor.get(`/pesanan/${orderId}`)).html).not.toContain('data-watch="');
  });

  it("tells steps of one second in their order, though couriers tell whole seconds", async () => {
    await payOrder(orderId);
    const steps = [
      ["pending", "Penjemputan paket diminta", "2030-01-01T00:00:05.400Z"],
      ["in_transit", "Paket dalam perjalanan", "2030-01-01T00:00:05Z"],
    ] as const;
    for (const [status, description, at] of steps) {
      await run(sql`insert into market_shipment_events (shipment_id, status, description, occurred_at)
        select id, ${status}, ${description}, ${at}::timestamptz from market_shipments where order_id = ${orderId}`);
    }
    const { html } = await visitor.get(`/pesanan/${orderId}`);
    const [later, earlier] = [steps[1][1], steps[0][1]].map((words) => html.indexOf(words));
    expect(later).toBeGreaterThan(0);
    expect(later).toBeLessThan(earlier ?? 0);
  });

  it("is confirmed by its buyer, once", async () => {
    await payOrder(orderId);
    await ship();
    const answer = await visitor.post(`/pesanan/${orderId}/diterima`, {});
    expect([answer.status, answer.location]).toEqual([303, `/pesanan/${orderId}`]);
    const page = await visitor.get(`/pesanan/${orderId}`);
    expect(page.html).toContain("Diterima");
    expect(page.html).not.toContain("Pesanan sudah saya terima");
    expect((await visitor.post(`/pesanan/${orderId}/diterima`, {})).status).toBeLessThan(500);
  });

  it("cannot be confirmed before it is shipped, and the page says so", async () => {
    const answer = await visitor.post(`/pesanan/${orderId}/diterima`, {});
    expect(answer.status).toBe(409);
    expect(answer.html).toContain('role="alert"');
  });
});

describe("my orders", () => {
  it("are those at this store, in one round trip", async () => {
    const other = (await createShop()).store;
    const elsewhere = await order(buyer, other, [[await createProduct(other), 1]]);
    const page = await visitor.get("/pesanan");
    expect(page.html).toContain(`/pesanan/${orderId}`);
    expect(page.html).not.toContain(elsewhere.body.data.order_id);
    expect(await tripsOf(await visitor.get("/pesanan"))).toBe(1);
  });

  it("of a page too far are those of the last", async () => {
    const answer = await visitor.get("/pesanan?halaman=7");
    expect([answer.status, answer.location]).toEqual([303, "/pesanan?halaman=1"]);
    expect((await visitor.get("/pesanan?halaman=1")).html).toContain(`/pesanan/${orderId}`);
    const nobody = new Visitor(store, await createUser());
    expect((await nobody.get("/pesanan?halaman=1")).html).toContain("Belum ada pesanan");
  });

  it("of another store are shown by that store", async () => {
    const other = (await createShop()).store;
    const elsewhere = await order(buyer, other, [[await createProduct(other), 1]]);
    const id = elsewhere.body.data.order_id;
    const answer = await visitor.get(`/pesanan/${id}`);
    expect(answer.location).toBe(`http://${other.slug}.localhost:8787/pesanan/${id}`);
  });
});
