import type { Json } from "../common/fields.ts";

const entities: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function decode(text: string): string {
  return text
    .replace(/<!\[CDATA\[([\s\S]*?)\]\]>/g, "$1")
    .replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => entities[name] ?? "");
}

function put(into: Json, name: string, value: unknown): void {
  const before = into[name];
  if (before === undefined) into[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else into[name] = [before, value];
}

/** The simple XML of Lazada's payloads: elements and text, no attributes; null when it does not nest. */
export function readXml(text: string): Json | null {
  const root: Json = {};
  const open: { name: string; value: Json; text: string }[] = [{ name: "", value: root, text: "" }];
  const tokens = text
    .replace(/<\?xml[^>]*\?>/, "")
    .matchAll(/<!\[CDATA\[[\s\S]*?\]\]>|<\/?[\w-]+\s*\/?>|[^<]+/g);
  for (const [token] of tokens) {
    const top = open.at(-1);
    if (!top) return null;
    if (!token.startsWith("<") || token.startsWith("<!")) {
      top.text += decode(token);
    } else if (token.startsWith("</")) {
      open.pop();
      const above = open.at(-1);
      if (!above || top.name !== token.slice(2, -1).trim()) return null;
      const hasChildren = Object.keys(top.value).length > 0;
      put(above.value, top.name, hasChildren ? top.value : top.text.trim());
    } else {
      open.push({ name: token.slice(1, -1).trim(), value: {}, text: "" });
    }
  }
  return open.length === 1 && Object.keys(root).length > 0 ? root : null;
}
