import { button, type Html, html, page } from "../common/html.ts";
import { type Handler, htmlAnswer } from "../common/server.ts";
import type { KiriminAja } from "./engine.ts";
import { codes, type Shipment } from "./state.ts";

const moves: { to: string; label: string; from: readonly number[] }[] = [
  { to: "processed", label: "Buat resi", from: [100, codes.asked] },
  { to: "shipped", label: "Dijemput kurir", from: [100, codes.asked, codes.waitingForAwb] },
  {
    to: "finished",
    label: "Sampai",
    from: [codes.waitingForAwb, codes.withCourier, codes.redelivery],
  },
  { to: "undelivered", label: "Gagal diantar", from: [codes.withCourier, codes.redelivery] },
  { to: "redelivery", label: "Antar ulang", from: [codes.undelivered] },
  { to: "rejected", label: "Tolak", from: [codes.asked, codes.waitingForAwb, codes.withCourier] },
  {
    to: "returning",
    label: "Kembalikan",
    from: [codes.withCourier, codes.rejected, codes.undelivered],
  },
  { to: "returned", label: "Kembali di pengirim", from: [codes.returning] },
  {
    to: "canceled",
    label: "Batalkan",
    from: [100, codes.asked, codes.waitingForAwb, codes.cancelAsked],
  },
  { to: "lost", label: "Hilang", from: [codes.withCourier] },
];

function card(kiriminAja: KiriminAja, shipment: Shipment): Html {
  const id = encodeURIComponent(shipment.orderId);
  const unpaid = shipment.pickup.paidAt === null && shipment.cod === 0;
  const buttons = unpaid
    ? [button("Bayar pickup", `/_pay/${encodeURIComponent(shipment.pickup.number)}`, {}, true)]
    : moves
        .filter((move) => move.from.includes(shipment.code))
        .map((move, index) => button(move.label, `/_move/${id}`, { to: move.to }, index === 0));
  const sent = kiriminAja.outbox
    .list(shipment.orderId)
    .map(
      (notice) =>
        html`<details><summary>${notice.event} · ${notice.state} · ${notice.attempts.map((attempt) => attempt.status ?? "tanpa jawaban").join(", ")}</summary><small>${notice.url}</small><pre>${notice.body}</pre></details>`,
    );
  return html`<article><h2>${shipment.orderId}</h2><p><span class="state">${shipment.code} · ${shipment.histories[0]?.status ?? ""}</span><br>${shipment.service} ${shipment.serviceType} · resi ${shipment.awb ?? "belum ada"}<br><small>${String(shipment.given.destination_name)}, ${String(shipment.given.destination_address)}</small></p>${buttons}${sent}</article>`;
}

/** The list for people: the last fifty parcels, each with where it can go next. */
export function parcelPage(kiriminAja: KiriminAja): Handler {
  return () => {
    const shipments = [...kiriminAja.state.shipments.values()].slice(-50).reverse();
    const list = shipments.map((shipment) => card(kiriminAja, shipment));
    const empty = shipments.length === 0 ? html`<p class="dim">Belum ada paket.</p>` : null;
    return htmlAnswer(page("KiriminAja (tiruan lokal)", html`${empty}${list}`));
  };
}
