/** What a mail says, once for both of its forms. Templates give plain text; only this file writes HTML. */
export interface MailPage {
  title: string;
  blocks: readonly MailBlock[];
}

export type MailBlock =
  | { kind: "text"; text: string }
  /** Label and value, a line each: an order's number, a total. */
  | { kind: "facts"; facts: readonly (readonly [label: string, value: string])[] }
  | { kind: "button"; label: string; url: string };

const SENDER = "Lumbung";
const FOOTER = "Email ini dikirim otomatis oleh Lumbung. Mohon tidak membalas email ini.";

const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => ESCAPES[mark] ?? mark);
}

/** Only web addresses become links: whatever else a value holds must not run in a mail reader. */
function safeUrl(url: string): string {
  const parsed = URL.parse(url);
  return parsed?.protocol === "https:" || parsed?.protocol === "http:" ? parsed.href : "#";
}

const FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif";
const BODY = `margin:0;padding:24px 12px;background:#f4f1ea;color:#23201a;${FONT};font-size:16px;line-height:1.5`;
const CARD =
  "max-width:560px;margin:0 auto;padding:24px;background:#fff;border-radius:12px;overflow-wrap:anywhere";
const BUTTON =
  "display:inline-block;padding:14px 22px;background:#2f6b3a;color:#fff;border-radius:8px;font-weight:600;text-decoration:none";

/** The mail for readers that show HTML: one narrow column that fits a phone, every value escaped. */
export function htmlOf({ title, blocks }: MailPage): string {
  const safeTitle = escapeHtml(title);
  return `<!doctype html>
<html lang="id"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${safeTitle}</title></head>
<body style="${BODY}"><div style="${CARD}">
<p style="margin:0 0 16px;color:#2f6b3a;font-weight:700">${SENDER}</p>
<h1 style="margin:0 0 16px;font-size:22px;line-height:1.3">${safeTitle}</h1>
${blocks.map(htmlBlock).join("\n")}
<p style="margin:24px 0 0;color:#6b655a;font-size:13px">${FOOTER}</p>
</div></body></html>`;
}

function htmlBlock(block: MailBlock): string {
  switch (block.kind) {
    case "text":
      return `<p style="margin:0 0 16px;white-space:pre-line">${escapeHtml(block.text)}</p>`;
    case "facts":
      return `<table role="presentation" style="width:100%;margin:0 0 16px;border-collapse:collapse">${block.facts.map(htmlFact).join("")}</table>`;
    case "button":
      return `<p style="margin:0 0 16px"><a href="${escapeHtml(safeUrl(block.url))}" style="${BUTTON}">${escapeHtml(block.label)}</a></p>`;
    default:
      return block satisfies never;
  }
}

function htmlFact([label, value]: readonly [string, string]): string {
  const cell = "padding:8px 0;border-bottom:1px solid #eee7da;vertical-align:top";
  return `<tr><td style="${cell};color:#6b655a">${escapeHtml(label)}</td><td style="${cell};text-align:right">${escapeHtml(value)}</td></tr>`;
}

/** The same mail for readers that show text. */
export function textOf({ title, blocks }: MailPage): string {
  return [title, ...blocks.map(textBlock), `--\n${FOOTER}`].join("\n\n");
}

function textBlock(block: MailBlock): string {
  switch (block.kind) {
    case "text":
      return block.text;
    case "facts":
      return block.facts.map(([label, value]) => `${label}: ${value}`).join("\n");
    case "button":
      return `${block.label}: ${safeUrl(block.url)}`;
    default:
      return block satisfies never;
  }
}
