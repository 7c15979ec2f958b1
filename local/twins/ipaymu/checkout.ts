import { type Html, html, page, rupiah } from "../common/html.ts";
import { qrPng } from "../common/qr.ts";
import { type Handler, htmlAnswer, type TwinAnswer } from "../common/server.ts";
import { wordOf } from "./bodies.ts";
import { channelsOf, feeOf } from "./channels.ts";
import type { Ipaymu } from "./engine.ts";
import { codes, isPaid, type Session, type Transaction } from "./state.ts";

function link(label: string, url: string): Html | null {
  return url ? html`<p><a href="${url}">${label}</a></p>` : null;
}

function waiting(session: Session, transaction: Transaction): Html {
  const pay = html`<form method="post" action="/payment/${session.sid}/pay"><button class="main">Bayar sekarang</button></form>`;
  const cancel = link("Batal dan kembali ke toko", session.cancelUrl);
  if (transaction.channel.method === "qris") {
    return html`<article><p>Pindai kode QR ini dengan aplikasi bank atau dompet digital.</p><p><img class="qr" src="/qr/${transaction.id}" alt="Kode QRIS" width="288" height="288"></p>${pay}${cancel}</article>`;
  }
  const number = transaction.paymentNo ? html`<h2>${transaction.paymentNo}</h2>` : null;
  return html`<article><p>${transaction.channel.name}</p>${number}${pay}${cancel}</article>`;
}

function choices(session: Session): Html {
  const buttons = channelsOf(session.method).map((channel) => {
    const fee = session.feeDirection === "BUYER" ? feeOf(channel, session.price) : 0;
    const extra = fee > 0 ? html` <small>+ biaya ${rupiah(fee)}</small>` : null;
    return html`<p><button name="channel" value="${channel.method}/${channel.code}">${channel.name}${extra}</button></p>`;
  });
  return html`<article><h2>Pilih cara bayar</h2><form method="post" action="/payment/${session.sid}/pick">${buttons}</form>${link("Batal dan kembali ke toko", session.cancelUrl)}</article>`;
}

/** The payment page that a buyer is sent to. */
function paymentPage(ipaymu: Ipaymu, session: Session): TwinAnswer {
  const { transaction } = session;
  const products = session.products.map((name) => html`<small>${name}<br></small>`);
  const head = html`<p><strong>${rupiah(transaction?.total ?? session.price)}</strong><br><small>${session.referenceId}</small></p>${products}`;
  const show = (body: Html) =>
    htmlAnswer(page("Pembayaran (simulasi iPaymu)", html`${head}${body}`));
  const back = link("Kembali ke toko", session.returnUrl);
  if (transaction && isPaid(transaction.code)) {
    return show(html`<article><h2>Pembayaran berhasil</h2>${back}</article>`);
  }
  if (transaction?.code === codes.pending) return show(waiting(session, transaction));
  if (ipaymu.isOpen(session)) return show(choices(session));
  const word = transaction ? wordOf(transaction.code) : "Expired";
  return show(
    html`<article><h2>Pembayaran tidak dapat dilanjutkan (${word})</h2>${link("Kembali ke toko", session.cancelUrl || session.returnUrl)}</article>`,
  );
}

/** The hosted page, on which a person picks a channel and pays, and the pictures of QR codes. */
export function checkoutRoutes(ipaymu: Ipaymu): Record<string, Handler> {
  const onSession =
    (run: (session: Session, raw: string) => TwinAnswer): Handler =>
    (request) => {
      const sid = request.params.sid ?? "";
      const session = ipaymu.state.sessions.has(sid) ? ipaymu.find(sid) : undefined;
      if (session) return run(session, request.raw);
      return htmlAnswer(page("Halaman tidak ditemukan", html`<p>Sesi tidak dikenal.</p>`), 404);
    };
  const back = (session: Session): TwinAnswer => ({
    status: 303,
    headers: { location: `/payment/${session.sid}` },
    body: "",
  });
  return {
    "GET /payment/:sid": onSession((session) => paymentPage(ipaymu, session)),
    "POST /payment/:sid/pick": onSession((session, raw) => {
      const wanted = new URLSearchParams(raw).get("channel") ?? "";
      const channel = channelsOf(session.method).find(
        (one) => `${one.method}/${one.code}` === wanted,
      );
      if (channel && ipaymu.isOpen(session)) ipaymu.pick(session, channel);
      return back(session);
    }),
    "POST /payment/:sid/pay": onSession((session) => {
      const { transaction } = session;
      if (transaction?.code === codes.pending) void ipaymu.pay(transaction, true);
      return back(session);
    }),
    "GET /qr/:id": (request) => {
      const transaction = ipaymu.state.transactions.get(Number(request.params.id));
      if (!transaction) return htmlAnswer(page("Tidak ditemukan", html``), 404);
      const headers = { "content-type": "image/png" };
      return { status: 200, headers, body: qrPng(transaction.qrText) };
    },
  };
}
