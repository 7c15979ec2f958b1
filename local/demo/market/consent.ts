/**
 * What a person does in the browser with an authorise link: opens the twin's page, presses the last button (a shop or
 * account of its own) and is sent back. Gives what stands in the address that he is sent to.
 */
export async function consent(link: string): Promise<URLSearchParams> {
  const page = await fetch(link);
  const text = await page.text();
  if (!page.ok) throw new Error(`the authorise page answered ${page.status}: ${text}`);
  const form = [...text.matchAll(/<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].at(-1);
  if (!form) throw new Error("the authorise page has no button");
  const fields = new URLSearchParams();
  for (const [, name = "", value = ""] of (form[2] ?? "").matchAll(
    /<input type="hidden" name="([^"]*)" value="([^"]*)">/g,
  )) {
    fields.set(plain(name), plain(value));
  }
  const agreed = await fetch(new URL(plain(form[1] ?? ""), link), {
    method: "POST",
    body: fields,
    redirect: "manual",
  });
  const location = agreed.headers.get("location");
  if (!location) throw new Error(`agreeing answered ${agreed.status} and leads nowhere`);
  return new URL(location).searchParams;
}

const ENTITIES: Record<string, string> = {
  "&amp;": "&",
  "&quot;": '"',
  "&#39;": "'",
  "&lt;": "<",
  "&gt;": ">",
};

const plain = (text: string) =>
  text.replace(/&(amp|quot|#39|lt|gt);/g, (one) => ENTITIES[one] ?? one);
