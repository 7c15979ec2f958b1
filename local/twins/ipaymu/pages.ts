import { wib } from "../common/clock.ts";
import { button, type Html, html, page, rupiah } from "../common/html.ts";
import { type Handler, htmlAnswer } from "../common/server.ts";
import { wordOf } from "./bodies.ts";
import { balanceOf } from "./calls.ts";
import type { Ipaymu } from "./engine.ts";
import { codes, isPaid, type Session } from "./state.ts";

function buttons(session: Session): Html[] {
  const code = session.transaction?.code;
  const { sid } = session;
  if (code === undefined) return [button("Bayar", `/_pay/${sid}`, {}, true)];
  if (code === codes.pending) {
    return [
      button("Bayar", `/_pay/${sid}`, {}, true),
      button("Bayar, dana menyusul", `/_pay/${sid}`, { settled: "false" }),
      button("Kedaluwarsa", `/_expire/${sid}`),
      button("Gagal", `/_fail/${sid}`),
      button("Batal", `/_cancel/${sid}`),
    ];
  }
  if (code === codes.expired) return [button("Bayar terlambat", `/_pay/${sid}`, { force: "true" })];
  if (!isPaid(code)) return [];
  const refund = button("Refund", `/_refund/${sid}`);
  return code === codes.success ? [refund] : [button("Cairkan", `/_settle/${sid}`), refund];
}

function card(ipaymu: Ipaymu, session: Session): Html {
  const { transaction } = session;
  if (transaction) ipaymu.expireIfDue(transaction);
  const resend = transaction
    ? [
        button("Kirim ulang notifikasi", `/_notify/${session.sid}`),
        button("Kirim tanda tangan palsu", `/_notify/${session.sid}`, { sign: "false" }),
      ]
    : [];
  const sent = ipaymu.outbox
    .list(session.referenceId ?? session.sid)
    .map(
      (notice) =>
        html`<details><summary>${notice.event} · ${notice.state} · ${notice.attempts.map((attempt) => attempt.status ?? "tanpa jawaban").join(", ")}</summary><small>${notice.url}</small><pre>${notice.body}</pre></details>`,
    );
  const facts = transaction
    ? html`<br><small>nomor ${transaction.id}, dibuat ${wib(transaction.createdAt)}, berlaku sampai ${wib(transaction.expiresAt)} WIB</small>`
    : null;
  return html`<article><h2>${session.referenceId ?? session.sid}</h2><p>${rupiah(transaction?.total ?? session.price)} · ${transaction?.channel.name ?? "belum memilih"} · <span class="state">${transaction ? wordOf(transaction.code) : "menunggu pilihan"}</span>${facts}</p><p><a href="/payment/${session.sid}">Halaman pembayaran</a></p>${buttons(session)}${resend}${sent}</article>`;
}

/** The list for people: the last fifty payments, each with what can be done to it. */
export function orderPage(ipaymu: Ipaymu): Handler {
  return () => {
    const sessions = [...ipaymu.state.sessions.values()].slice(-50).reverse();
    const list = sessions.map((session) => card(ipaymu, session));
    const head = html`<p>Saldo ${rupiah(balanceOf(ipaymu))}</p>`;
    const empty = sessions.length === 0 ? html`<p class="dim">Belum ada pembayaran.</p>` : null;
    return htmlAnswer(page("iPaymu (tiruan lokal)", html`${head}${empty}${list}`));
  };
}
