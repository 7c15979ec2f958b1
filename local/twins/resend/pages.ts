import { button, type Html, html, page } from "../common/html.ts";
import { type Handler, htmlAnswer } from "../common/server.ts";
import type { Resend } from "./engine.ts";
import { events } from "./hands.ts";
import type { Mail } from "./state.ts";

function card(mail: Mail): Html {
  const buttons = events
    .filter((event) => event !== mail.lastEvent)
    .map((event) => button(event, `/_event/${mail.id}`, { type: event }));
  // The frame has no permissions at all: a mail's markup runs no script and sends no form here.
  const picture = mail.html
    ? html`<details><summary>HTML</summary><iframe sandbox="" title="${mail.subject}" srcdoc="${mail.html}" loading="lazy"></iframe></details>`
    : null;
  const text = mail.text
    ? html`<details><summary>Teks</summary><pre>${mail.text}</pre></details>`
    : null;
  return html`<article><h2>${mail.subject}</h2><p>kepada ${mail.to.join(", ")}<br><small>dari ${mail.from} · ${new Date(mail.createdAt).toISOString()}</small><br><span class="state">${mail.lastEvent}</span></p>${picture}${text}<details><summary>Kejadian</summary>${buttons}</details></article>`;
}

/** The mailbox for people: the last fifty mails, of all recipients or of `?to=`. */
export function mailPage(resend: Resend): Handler {
  return (request) => {
    const to = request.query.get("to")?.toLowerCase();
    const all = to ? (resend.state.byRecipient.get(to) ?? []) : [...resend.state.mails.values()];
    const list = all.slice(-50).reverse().map(card);
    const empty = all.length === 0 ? html`<p class="dim">Belum ada surel.</p>` : null;
    const search = html`<form><input name="to" type="email" placeholder="penerima" aria-label="penerima" value="${to ?? ""}"> <button>Cari</button></form>`;
    return htmlAnswer(page("Resend (tiruan lokal)", html`${search}${empty}${list}`));
  };
}

/** Every mail that the platform can write, as samples: what it was given at its start. */
export function previewPage(resend: Resend): Handler {
  return () => {
    const list = (resend.options.previews?.() ?? []).map(
      ({ name, subject, html: markup, text }) =>
        html`<article id="${name}"><h2>${subject}</h2><small>${name}</small><details><summary>HTML</summary><iframe sandbox="" title="${subject}" srcdoc="${markup}" loading="lazy"></iframe></details><details><summary>Teks</summary><pre>${text}</pre></details></article>`,
    );
    return htmlAnswer(page("Contoh surel", html`${list}`));
  };
}
