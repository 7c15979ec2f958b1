/** Markup that is already safe; everything else put into `html` is escaped. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

type Part = string | number | boolean | null | undefined | Html | Part[];

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function print(part: Part): string {
  if (part instanceof Html) return part.markup;
  if (Array.isArray(part)) return part.map(print).join("");
  if (part === null || part === undefined || part === false) return "";
  return String(part).replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** A template whose values are escaped, unless they are `Html` themselves. */
export function html(pieces: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(pieces.map((piece, index) => piece + print(parts[index])).join(""));
}

export function rupiah(amount: number): string {
  return `Rp${String(amount).replace(/\B(?=(\d{3})+$)/g, ".")}`;
}

const style = `
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f5f5f2;color:#1c1c1a}
main{max-width:44rem;margin:0 auto;padding:1rem}
h1{font-size:1.25rem;margin:.5rem 0}h2{font-size:1rem;margin:0 0 .25rem;overflow-wrap:anywhere}
article{background:#fff;border:1px solid #ddd;border-radius:.5rem;padding:.75rem;margin:.75rem 0}
form{display:inline}button{font:inherit;padding:.5rem .75rem;margin:.15rem .15rem .15rem 0;border:1px solid #888;border-radius:.4rem;background:#fff;cursor:pointer}
button.main{background:#0a6b45;border-color:#0a6b45;color:#fff}
small,.dim{color:#5c5c57}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f5f5f2;padding:.5rem;border-radius:.4rem}
iframe{width:100%;height:26rem;border:1px solid #ddd;border-radius:.4rem;background:#fff}
img.qr{width:min(18rem,100%);height:auto}input{font:inherit;padding:.5rem;max-width:60%}.state{font-weight:600}
summary{cursor:pointer;padding:.25rem 0}`;

/** A whole page for people, readable on a phone, in which no script runs. */
export function page(title: string, body: Html): string {
  return html`<!doctype html><html lang="id"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${new Html(style)}</style></head><body><main><h1>${title}</h1>${body}</main></body></html>`
    .markup;
}

/** A button that posts to a control address, with hidden values. */
export function button(
  label: string,
  action: string,
  values: Record<string, string> = {},
  main = false,
): Html {
  const inputs = Object.entries(values).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<form method="post" action="${action}">${inputs}<button class="${main ? "main" : ""}">${label}</button></form>`;
}
