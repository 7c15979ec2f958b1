import { type ImageFacts, imageFacts } from "./market/image.ts";

export interface FetchedImage {
  facts: ImageFacts | null;
  bytes: number;
}

/** Providers fetch over HTTPS alone; plain HTTP is for this machine. */
export function isFetchable(url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed?.protocol === "https:") return true;
  return (
    parsed?.protocol === "http:" && /^(localhost|127\.0\.0\.1|.+\.localhost)$/.test(parsed.hostname)
  );
}

/** A picture from where it lies, without following redirects; null when it cannot be had. */
export async function fetchImage(url: string): Promise<FetchedImage | null> {
  try {
    const signal = AbortSignal.timeout(5000);
    const answer = await fetch(url, { redirect: "manual", signal });
    if (!answer.ok) return null;
    const bytes = Buffer.from(await answer.arrayBuffer());
    return { facts: imageFacts(bytes), bytes: bytes.length };
  } catch {
    return null;
  }
}
