import { wib } from "../common/clock.ts";
import { button, type Html, html, page, rupiah } from "../common/html.ts";
import { type Handler, htmlAnswer } from "../common/server.ts";
import type { Midtrans } from "./engine.ts";
import { current, type Order } from "./state.ts";

function buttons(order: Order): Html[] {
  const id = encodeURIComponent(order.id);
  const status = current(order)?.status;
  if (status === "pending" || (!status && order.snap)) {
    return [
      button("Bayar", `/_pay/${id}`, {}, true),
      ...(status ? [button("Kedaluwarsa", `/_expire/${id}`), button("Tolak", `/_deny/${id}`)] : []),
    ];
  }
  if (status === "settlement") return [button("Chargeback", `/_chargeback/${id}`)];
  return status === "expire" ? [button("Bayar terlambat", `/_pay/${id}`, { force: "true" })] : [];
}

function card(midtrans: Midtrans, order: Order): Html {
  const transaction = current(order);
  if (transaction) midtrans.expireIfDue(transaction);
  const notices = midtrans.outbox.list(order.id);
  const resend = transaction
    ? [
        button("Kirim ulang notifikasi", `/_notify/${encodeURIComponent(order.id)}`),
        button("Kirim tanda tangan palsu", `/_notify/${encodeURIComponent(order.id)}`, {
          sign: "false",
        }),
      ]
    : [];
  const sent = notices.map(
    (notice) =>
      html`<details><summary>${notice.event} · ${notice.state} · ${notice.attempts.map((attempt) => attempt.status ?? "tanpa jawaban").join(", ")}</summary><small>${notice.url}</small><pre>${notice.body}</pre></details>`,
  );
  const picture =
    transaction?.status === "pending" && transaction.method.acquirer
      ? html`<details><summary>Kode QR</summary><img class="qr" src="/v2/qris/${transaction.id}/qr-code" alt="Kode QR" loading="lazy"></details>`
      : null;
  const snap = order.snap
    ? html`<p><a href="/snap/v3/redirection/${order.snap.token}">Halaman pembayaran</a></p>`
    : null;
  return html`<article><h2>${order.id}</h2><p>${rupiah(order.amount)} · ${transaction?.method.type ?? "belum memilih"} · <span class="state">${transaction?.status ?? "menunggu pilihan"}</span>${transaction ? html`<br><small>dibuat ${wib(transaction.createdAt)}, berlaku sampai ${wib(transaction.expiresAt)} WIB</small>` : null}</p>${snap}${picture}${buttons(order)}${resend}${sent}</article>`;
}

/** The list for people: the last fifty orders, each with what can be done to it. */
export function orderPage(midtrans: Midtrans): Handler {
  return () => {
    const orders = [...midtrans.state.orders.values()].slice(-50).reverse();
    const list = orders.map((order) => card(midtrans, order));
    const empty = orders.length === 0 ? html`<p class="dim">Belum ada pesanan.</p>` : null;
    return htmlAnswer(page("Midtrans (tiruan lokal)", html`${empty}${list}`));
  };
}
