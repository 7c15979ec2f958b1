/** Amounts, dates and weights as people here write them. Dates are Asia/Jakarta. */

/** Made once: making a formatter costs more than drawing a product's card. */
const digits = new Intl.NumberFormat("id-ID");

export const rupiah = (amountIdr: number): string => `Rp${digits.format(amountIdr)}`;

const moment = new Intl.DateTimeFormat("id-ID", {
  timeZone: "Asia/Jakarta",
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});

/** `21 Nov 2026, 12.27 WIB` */
export const dateTime = (iso: string): string =>
  `${moment.format(new Date(iso)).replace(" pukul ", ", ")} WIB`;

export const weight = (gram: number): string =>
  gram < 1000
    ? `${gram} gram`
    : `${(gram / 1000).toLocaleString("id-ID", { maximumFractionDigits: 2 })} kg`;

/** A courier and its service, which is often named after it: "JNE" and "JNE Reguler" are "JNE Reguler". */
export function courierWords(courier: string, service: string): string {
  const named = courier.split(" ")[0]?.toLowerCase() === service.split(" ")[0]?.toLowerCase();
  return named ? service : `${courier} ${service}`;
}

/** One line of plain text, cut at a word: for descriptions in the head. */
export function excerpt(text: string, letters: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  if (line.length <= letters) return line;
  return `${line.slice(0, letters - 1).replace(/\s+\S*$/, "")}…`;
}

/** An address that a page may link to or load: http(s) only. */
export function webUrl(value: string | null | undefined): string | null {
  if (!value || !URL.canParse(value)) return null;
  const { protocol, href } = new URL(value);
  return protocol === "https:" || protocol === "http:" ? href : null;
}
