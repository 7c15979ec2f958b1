import { wib } from "../common/clock.ts";
import { button, type Html, html, page, rupiah } from "../common/html.ts";
import { type Handler, htmlAnswer } from "../common/server.ts";
import type { Vip } from "./engine.ts";
import { isFinal, type Order } from "./state.ts";

function buttons(order: Order): Html[] {
  const id = order.trxid;
  if (isFinal(order.status)) return [];
  return [
    button("Sukses", `/_succeed/${id}`, {}, true),
    ...(order.status === "waiting" ? [button("Proses", `/_process/${id}`)] : []),
    button("Gagal", `/_fail/${id}`),
    ...(order.family === "social-media" ? [button("Sebagian", `/_partial/${id}`)] : []),
  ];
}

function card(vip: Vip, order: Order): Html {
  const sent = vip.outbox
    .list(order.trxid)
    .map(
      (notice) =>
        html`<details><summary>${notice.event} · ${notice.state} · ${notice.attempts.map((attempt) => attempt.status ?? "tanpa jawaban").join(", ")}</summary><small>${notice.url}</small><pre>${notice.body}</pre></details>`,
    );
  const resend = [
    button("Kirim ulang notifikasi", `/_notify/${order.trxid}`),
    button("Kirim tanda tangan palsu", `/_notify/${order.trxid}`, { sign: "false" }),
  ];
  const target = [order.target, order.zone].filter(Boolean).join(" / ");
  const quantity = order.quantity > 1 ? html` · ${order.quantity} buah` : null;
  const note = order.note ? html`<p>Catatan: ${order.note}</p>` : null;
  return html`<article><h2>${order.trxid}</h2><p>${order.service.name}${quantity} · ${target}<br>${rupiah(order.price)} · <span class="state">${order.status}</span><br><small>${wib(order.createdAt)} WIB</small></p>${note}${buttons(order)}${resend}${sent}</article>`;
}

function accountCard(vip: Vip): Html {
  const { balance, level, whitelist, callbackUrl } = vip.state.account;
  const field = (label: string, name: string, value: string | number) =>
    html`<p><label>${label}<br><input name="${name}" value="${value}" size="30"></label></p>`;
  return html`<article><h2>Akun</h2><p>Saldo ${rupiah(balance)} · tingkat ${level}</p><details><summary>Ubah</summary><form method="post" action="/_account">${field("Saldo", "balance", balance)}${field("Alamat IP yang diizinkan", "whitelist", whitelist.join(", "))}${field("URL callback", "callback_url", callbackUrl)}<button class="main">Simpan</button></form></details></article>`;
}

/** The list for people: the account, then the last fifty orders, each with what can be done to it. */
export function orderPage(vip: Vip): Handler {
  return () => {
    const orders = [...vip.state.orders.values()].slice(-50).reverse();
    const list = orders.map((order) => card(vip, order));
    const empty = orders.length === 0 ? html`<p class="dim">Belum ada pesanan.</p>` : null;
    return htmlAnswer(
      page("VIP-Reseller (tiruan lokal)", html`${accountCard(vip)}${empty}${list}`),
    );
  };
}
