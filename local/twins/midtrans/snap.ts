import { randomUUID } from "node:crypto";
import { parseJson } from "../common/fields.ts";
import { type Html, html, page, rupiah } from "../common/html.ts";
import { type Handler, htmlAnswer, json, type TwinAnswer } from "../common/server.ts";
import { notifyUrlsOf } from "./core.ts";
import type { Midtrans } from "./engine.ts";
import { banks, isRefusal, readSnap } from "./input.ts";
import { current, type Method, type Order, type Transaction } from "./state.ts";

const qrNames = ["qris", "other_qris", "gopay", "shopeepay"];

/** What the payment page offers; a buyer on a desktop pays GoPay by QRIS too, and it is reported so. */
function offers(order: Order): { label: string; value: string }[] {
  const enabled = order.snap?.enabledPayments ?? [];
  const has = (...names: string[]) =>
    enabled.length === 0 || names.some((name) => enabled.includes(name));
  return [
    ...(has(...qrNames) ? [{ label: "QRIS", value: "qris" }] : []),
    ...banks
      .filter((bank) => has(`${bank}_va`, "bank_transfer"))
      .map((bank) => ({ label: `Virtual account ${bank.toUpperCase()}`, value: bank })),
  ];
}

function methodOf(value: string): Method {
  if (value === "qris") return { type: "qris", acquirer: "gopay", bank: "", vaNumber: "" };
  return { type: "bank_transfer", acquirer: "", bank: value, vaNumber: "" };
}

function createSnap(midtrans: Midtrans): Handler {
  return (request) => {
    const input = readSnap(parseJson(request.raw), midtrans.clock());
    if (isRefusal(input)) return json(400, { error_messages: input.messages });
    const urls = notifyUrlsOf(midtrans, request);
    if (!urls) {
      return json(400, { error_messages: ["notification header must hold up to 3 URLs"] });
    }
    if (midtrans.isTaken(input.orderId)) {
      return json(400, { error_messages: ["transaction_details.order_id has already been taken"] });
    }
    const token = randomUUID();
    const { expiresAt, expiryGiven, enabledPayments, finishUrl } = input;
    midtrans.openOrder(input, request.raw, urls, {
      token,
      expiresAt,
      expiryGiven,
      enabledPayments,
      finishUrl,
    });
    const redirectUrl = `${midtrans.url}/snap/v3/redirection/${token}`;
    return json(201, { token, redirect_url: redirectUrl });
  };
}

function finishLink(order: Order, transaction: Transaction): Html | null {
  const finish = order.snap?.finishUrl;
  if (!finish) return null;
  const url = new URL(finish);
  url.searchParams.set("order_id", order.id);
  url.searchParams.set("status_code", "200");
  url.searchParams.set("transaction_status", transaction.status);
  return html`<p><a href="${url.href}">Kembali ke toko</a></p>`;
}

function waiting(midtrans: Midtrans, order: Order, transaction: Transaction): Html {
  const path = `/snap/v3/redirection/${order.snap?.token ?? ""}/pay`;
  const pay = html`<form method="post" action="${path}"><button class="main">Bayar sekarang</button></form>`;
  if (transaction.method.type === "qris") {
    const picture = `${midtrans.url}/v2/qris/${transaction.id}/qr-code`;
    return html`<article><p>Pindai kode QR ini dengan aplikasi bank atau dompet digital.</p><p><img class="qr" src="${picture}" alt="Kode QRIS" width="288" height="288"></p>${pay}</article>`;
  }
  return html`<article><p>Nomor virtual account ${transaction.method.bank.toUpperCase()}</p><h2>${transaction.vaNumber}</h2>${pay}</article>`;
}

/** The payment page that a buyer is sent to. */
function snapPage(midtrans: Midtrans, order: Order): TwinAnswer {
  const transaction = current(order);
  if (transaction) midtrans.expireIfDue(transaction);
  const pageExpired = (order.snap?.expiresAt ?? 0) <= midtrans.clock();
  const head = html`<p><strong>${rupiah(order.amount)}</strong><br><small>${order.id}</small></p>${order.itemNames.map((name) => html`<small>${name}<br></small>`)}`;
  const show = (body: Html | null) =>
    htmlAnswer(page("Pembayaran (simulasi Midtrans)", html`${head}${body}`));
  if (transaction?.status === "settlement") {
    return show(
      html`<article><h2>Pembayaran berhasil</h2>${finishLink(order, transaction)}</article>`,
    );
  }
  if (transaction?.status === "pending") return show(waiting(midtrans, order, transaction));
  if (transaction || pageExpired) {
    const word =
      transaction && transaction.status !== "expire" ? transaction.status : "kedaluwarsa";
    return show(
      html`<article><h2>Pembayaran tidak dapat dilanjutkan (${word})</h2>${transaction ? finishLink(order, transaction) : null}</article>`,
    );
  }
  const path = `/snap/v3/redirection/${order.snap?.token ?? ""}/pick`;
  const choices = offers(order).map(
    (offer) => html`<p><button name="method" value="${offer.value}">${offer.label}</button></p>`,
  );
  return show(
    html`<article><h2>Pilih cara bayar</h2><form method="post" action="${path}">${choices}</form></article>`,
  );
}

/** Snap: the token, and the page on which a person picks a method and pays. */
export function snapRoutes(midtrans: Midtrans): Record<string, Handler> {
  const onOrder =
    (run: (order: Order, raw: string) => TwinAnswer | Promise<TwinAnswer>): Handler =>
    async (request) => {
      const order = midtrans.state.tokens.get(request.params.token ?? "");
      if (order) return await run(order, request.raw);
      return htmlAnswer(page("Halaman tidak ditemukan", html`<p>Token tidak dikenal.</p>`), 404);
    };
  const back = (order: Order): TwinAnswer => ({
    status: 303,
    headers: { location: `/snap/v3/redirection/${order.snap?.token ?? ""}` },
    body: "",
  });
  return {
    "POST /snap/v1/transactions": createSnap(midtrans),
    "GET /snap/v3/redirection/:token": onOrder((order) => snapPage(midtrans, order)),
    "POST /snap/v3/redirection/:token/pick": onOrder((order, raw) => {
      const wanted = new URLSearchParams(raw).get("method") ?? "";
      const offered = offers(order).some((offer) => offer.value === wanted);
      const open = !current(order) && (order.snap?.expiresAt ?? 0) > midtrans.clock();
      if (offered && open) midtrans.pick(order, methodOf(wanted));
      return back(order);
    }),
    "POST /snap/v3/redirection/:token/pay": onOrder(async (order) => {
      const transaction = midtrans.find(order.id);
      if (transaction?.status === "pending") void midtrans.move(transaction, "settlement");
      return back(order);
    }),
  };
}
