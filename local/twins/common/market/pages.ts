import { button, type Html, html, page, rupiah } from "../html.ts";
import { type Handler, htmlAnswer, type TwinAnswer, type TwinRequest } from "../server.ts";
import type { Order, Product, Shop } from "./goods.ts";
import type { Market } from "./market.ts";

const words: Record<string, string> = {
  unpaid: "belum dibayar",
  paid: "dibayar, siap dikirim",
  shipped: "dikirim",
  delivered: "sampai",
  cancelled: "dibatalkan",
  live: "tayang",
  hidden: "tidak tayang",
  review: "ditinjau",
};

function orderCard(market: Market, order: Order): Html {
  const to = (label: string, stage: string, main = false) =>
    button(label, `/_move/${order.id}`, { to: stage }, main);
  const steps = {
    unpaid: [to("Bayar", "paid", true), to("Batal", "cancelled")],
    paid: [to("Kirim", "shipped", true), to("Batal", "cancelled")],
    shipped: [to("Sampai", "delivered", true)],
    delivered: [],
    cancelled: [],
  }[order.stage];
  const again = [
    button("Kirim ulang push", `/_notify/${order.id}`),
    button("Push palsu", `/_notify/${order.id}`, { sign: "false" }),
  ];
  const sent = market.outbox
    .list(order.id)
    .map(
      (notice) =>
        html`<details><summary>${notice.event} · ${notice.state} · ${notice.attempts.map((attempt) => attempt.status ?? "tanpa jawaban").join(", ")}</summary><pre>${notice.body}</pre></details>`,
    );
  const lines = order.lines.map((line) => `${line.quantity} × ${line.name}`).join(", ");
  return html`<article><h2>${order.id}</h2><p>${lines}<br>${rupiah(order.total)} · ${order.buyer.name} · <span class="state">${words[order.stage]}</span></p>${steps}${again}${sent}</article>`;
}

function productCard(shop: Shop, product: Product): Html {
  const buy = (sellerSku: string) =>
    html`<form method="post" action="/_buy"><input type="hidden" name="shop_id" value="${shop.id}"><input type="hidden" name="product_id" value="${product.id}"><input type="hidden" name="seller_sku" value="${sellerSku}"><input name="quantity" type="number" min="1" value="1" aria-label="Jumlah"><button class="main">Beli</button></form>`;
  const skus = product.skus.map(
    (sku) =>
      html`<p>${sku.sellerSku || "tanpa SKU"} · ${rupiah(sku.price)} · stok ${sku.stock}${sku.held > 0 ? ` (dipesan ${sku.held})` : ""}</p>${product.status === "live" ? buy(sku.sellerSku) : null}`,
  );
  return html`<article><h2>${product.name}</h2><p class="dim">${product.id} · ${words[product.status]}</p>${skus}</article>`;
}

function shopCard(market: Market, shop: Shop): Html {
  const connected = market.tokens.liveRefreshes(shop.id) > 0;
  const tools = connected
    ? [
        button("Putuskan aplikasi", `/_revoke/${shop.id}`),
        button("Kedaluwarsakan token", `/_expire/${shop.id}`, { what: "access" }),
      ]
    : [];
  return html`<article><h2><a href="/?shop_id=${shop.id}">${shop.name}</a></h2><p>${shop.id} · ${connected ? "terhubung" : "tidak terhubung"} · ${market.goods.of(shop.id).length} produk</p>${tools}</article>`;
}

/** For people: the shops, or one shop's products and orders with a button to buy. */
export function marketPage(market: Market): Handler {
  return ({ query }) => {
    const title = `${market.platform.name} (tiruan lokal)`;
    const shop = market.goods.shops.get(query.get("shop_id") ?? "");
    if (shop) return htmlAnswer(page(`${shop.name} · ${title}`, shopBody(market, shop)));
    const shops = [...market.goods.shops.values()].slice(-50).reverse();
    const open = html`<form method="post" action="/_shops"><input name="name" placeholder="Nama toko" aria-label="Nama toko"><button>Buka toko</button></form>`;
    const cards = shops.map((one) => shopCard(market, one));
    const empty = shops.length === 0 ? html`<p class="dim">Belum ada toko.</p>` : null;
    return htmlAnswer(page(title, html`${open}${empty}${cards}`));
  };
}

function shopBody(market: Market, shop: Shop): Html {
  const products = market.goods.of(shop.id).filter((one) => one.status !== "deleted");
  const orders = market.goods.ordersOf(shop.id).slice(-30).reverse();
  return html`<p><a href="/">Semua toko</a></p><h1>Pesanan</h1>${orders.map((order) => orderCard(market, order))}<h1>Produk</h1>${products
    .slice(-100)
    .reverse()
    .map((product) => productCard(shop, product))}`;
}

/** The page on which a seller agrees: a button for each shop, and one for a new one. */
export function consentPage(market: Market, request: TwinRequest, action: string): Handler {
  const hidden = Object.fromEntries(request.query);
  const shops = [...market.goods.shops.values()].slice(-20);
  const buttons = shops.map((shop) =>
    button(`Hubungkan ${shop.name}`, action, { ...hidden, shop_id: shop.id }, true),
  );
  const fresh = button("Hubungkan toko baru", action, hidden, shops.length === 0);
  const body = html`<p>Sebuah aplikasi meminta izin mengelola produk dan pesanan toko Anda.</p>${buttons}${fresh}`;
  return () => htmlAnswer(page(`${market.platform.name}: izinkan aplikasi`, body));
}

/** Sends the seller's browser back to the app with the code; without an address to go to it shows the code. */
export function agreed(market: Market, target: URL | null, code: string): TwinAnswer {
  if (target) return { status: 302, headers: { location: target.href }, body: "" };
  const body = html`<p>Aplikasi ini belum mendaftarkan alamat untuk kembali. Kodenya:</p><pre>${code}</pre>`;
  return htmlAnswer(page(`${market.platform.name}: terhubung`, body));
}
